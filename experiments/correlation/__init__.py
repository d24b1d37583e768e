"""Study of what joint encoders know of style: correlation of dT and dI (Cyizere 2024)."""
