// The mask over the photo, with a brush. `value` comes from the page: {photo, mask, key}, two
// addresses and a name that changes when another mask is to be shown. After a stroke the mask is
// uploaded, and `value` has {stroke: path, number} as well. The sheet's opacity is the mask.
const $ = (name) => element.querySelector(name);
const sheet = $(".mask-sheet"), view = sheet.getContext("2d");
const mask = document.createElement("canvas"), ink = mask.getContext("2d", { willReadFrequently: true });
const LONGEST = 1024, UNDO = 12, TINT = "#e8590c";
let photo = null, shown = null, past = [], last = null, at = { x: 0.5, y: 0.5 }, keyboard = false;

const mode = () => element.querySelector("input[name=mask-mode]:checked").value;
const brush = () => (Number($(".mask-size").value) / 100) * Math.max(mask.width, mask.height);

function draw() {
  view.clearRect(0, 0, sheet.width, sheet.height);
  if (!photo) return;
  view.globalAlpha = 1;
  view.drawImage(photo, 0, 0, sheet.width, sheet.height);
  view.globalAlpha = Number($(".mask-opacity").value) / 100;
  view.drawImage(mask, 0, 0);
  view.globalAlpha = 1;
  if (!keyboard) return;
  for (const [width, colour] of [[3, "black"], [1, "white"]]) {
    view.beginPath();
    view.arc(at.x * mask.width, at.y * mask.height, brush() / 2, 0, 7);
    view.lineWidth = width;
    view.strokeStyle = colour;
    view.stroke();
  }
}

const load = (url) => new Promise((resolve, reject) => {
  const image = new Image();
  image.onload = () => resolve(image);
  image.onerror = reject;
  image.src = url;
});

async function show(value) {
  if (!value || !value.photo || value.key === shown) return;
  shown = value.key;
  const [picture, grey] = await Promise.all([load(value.photo), load(value.mask)]);
  if (value.key !== shown) return; // another one has come meanwhile
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  for (const canvas of [sheet, mask]) {
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
  }
  photo = picture;
  past = [];
  ink.drawImage(grey, 0, 0, mask.width, mask.height);
  const pixels = ink.getImageData(0, 0, mask.width, mask.height), data = pixels.data;
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(TINT.slice(i, i + 2), 16));
  for (let i = 0; i < data.length; i += 4) {
    data[i + 3] = data[i];
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
  }
  ink.putImageData(pixels, 0, 0);
  element.classList.add("mask-ready");
  $(".mask-say").textContent = "";
  draw();
}

function remember() {
  past.push(ink.getImageData(0, 0, mask.width, mask.height));
  if (past.length > UNDO) past.shift();
}

function line(from, to) {
  const strokes = [["destination-out", 1]];
  if (mode() === "add") strokes.push(["source-over", Number($(".mask-strength").value) / 100]);
  // Within a stroke nothing is painted twice, so that its strength is the one that was chosen.
  for (const [operation, alpha] of strokes) {
    ink.globalCompositeOperation = operation;
    ink.globalAlpha = alpha;
    ink.lineCap = "round";
    ink.lineWidth = Math.max(1, brush());
    ink.strokeStyle = TINT;
    ink.beginPath();
    ink.moveTo(from.x * mask.width, from.y * mask.height);
    ink.lineTo(to.x * mask.width + 0.01, to.y * mask.height);
    ink.stroke();
  }
  ink.globalCompositeOperation = "source-over";
  ink.globalAlpha = 1;
  draw();
}

async function upload_mask(key, number) {
  const grey = document.createElement("canvas"), paint = grey.getContext("2d");
  grey.width = mask.width;
  grey.height = mask.height;
  paint.drawImage(mask, 0, 0);
  paint.globalCompositeOperation = "source-in";
  paint.fillStyle = "white";
  paint.fillRect(0, 0, grey.width, grey.height);
  paint.globalCompositeOperation = "destination-over";
  paint.fillStyle = "black";
  paint.fillRect(0, 0, grey.width, grey.height);
  const blob = await new Promise((resolve) => grey.toBlob(resolve, "image/png"));
  const { path } = await upload(new File([blob], "mask.png", { type: "image/png" }));
  if (key !== shown) return; // another mask has come meanwhile
  props.value = { ...props.value, stroke: path, number };
  trigger("stroke");
  $(".mask-say").textContent = "The mask has changed.";
}

let strokes = 0, sending = Promise.resolve();
function send() {
  const key = shown, number = ++strokes;
  sending = sending.then(() => upload_mask(key, number)).catch(() => {
    $(".mask-say").textContent = "The mask could not be sent; paint again.";
  });
}
// Buttons that paint wait for the last stroke.
window.atelierMask = () => sending.then(() => props.value);

const place = (event) => {
  const box = sheet.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
};
sheet.addEventListener("pointerdown", (event) => {
  if (!photo || event.button) return;
  sheet.setPointerCapture(event.pointerId);
  keyboard = false;
  remember();
  last = place(event);
  line(last, last);
});
sheet.addEventListener("pointermove", (event) => {
  if (!last) return;
  const next = place(event);
  line(last, next);
  last = next;
});
for (const name of ["pointerup", "pointercancel"])
  sheet.addEventListener(name, () => {
    if (last) send();
    last = null;
  });

const STEP = 0.02;
const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
let held = false;
const clamp = (value) => Math.min(1, Math.max(0, value));
function undo() {
  if (!past.length) return;
  ink.putImageData(past.pop(), 0, 0);
  draw();
  send();
}
sheet.addEventListener("keydown", (event) => {
  if (!photo) return;
  const size = $(".mask-size"), key = event.key;
  keyboard = true;
  if (moves[key]) {
    const before = { ...at };
    at = { x: clamp(at.x + moves[key][0]), y: clamp(at.y + moves[key][1]) };
    if (held) line(before, at);
  } else if (key === " ") {
    if (!held) remember(), line(at, at);
    held = true;
  } else if (key === "[" || key === "]") size.value = Number(size.value) + (key === "]" ? 1 : -1);
  else if (key.toLowerCase() === "e") {
    const other = mode() === "add" ? "remove" : "add";
    element.querySelector(`input[value=${other}]`).checked = true;
    $(".mask-say").textContent = `The brush will ${other}.`;
  } else if (key.toLowerCase() === "z") undo();
  else return;
  event.preventDefault();
  draw();
});
sheet.addEventListener("keyup", (event) => {
  if (event.key !== " " || !held) return;
  held = false;
  send();
});
sheet.addEventListener("blur", () => { keyboard = false; draw(); });
$(".mask-opacity").addEventListener("input", draw);
$(".mask-undo").addEventListener("click", undo);
$(".mask-invert").addEventListener("click", () => {
  if (!photo) return;
  remember();
  const pixels = ink.getImageData(0, 0, mask.width, mask.height), data = pixels.data;
  const colour = [1, 3, 5].map((i) => parseInt(TINT.slice(i, i + 2), 16));
  for (let i = 0; i < data.length; i += 4) {
    data[i + 3] = 255 - data[i + 3];
    [data[i], data[i + 1], data[i + 2]] = colour;
  }
  ink.putImageData(pixels, 0, 0);
  draw();
  send();
});
watch("value", () => show(props.value));
show(props.value);
