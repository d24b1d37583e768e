"""Parts of one's own for Atelier: begin by renaming this package."""
