"use strict";
// Draws the layers of one event on a canvas, to be turned, zoomed and shown or hidden layer by layer.
(() => {
  const event = JSON.parse(document.getElementById("event").textContent);
  const canvas = document.getElementById("view");
  const pen = canvas.getContext("2d");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const layers = event.layers.map((layer) => {
    const raw = bytes(layer.places);
    const view = new DataView(raw.buffer);
    const places = new Float32Array(raw.length / 2);
    for (let i = 0; i < places.length; i++) places[i] = view.getInt16(2 * i, true) * layer.unit_cm;
    return { ...layer, places, sizes: layer.sizes === null ? null : bytes(layer.sizes), shown: true };
  });
  const views = { across: [0, 0, 115], along: [Math.PI / 2, 0, 540], turned: [0.9, 0.35, 540] };
  let yaw, pitch, reach_cm, shift;
  const look = (name) => {
    [yaw, pitch, reach_cm] = views[name];
    shift = [0, 0];
    draw();
  };

  function draw() {
    const box = canvas.getBoundingClientRect(), dots = window.devicePixelRatio || 1;
    canvas.width = box.width * dots;
    canvas.height = box.height * dots;
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, box.width, box.height);
    const scale = Math.min(box.width, box.height * 2) / 2 / reach_cm * (reach_cm > 200 ? 1 : 0.5);
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const u0 = box.width / 2 + shift[0], v0 = box.height / 2 + shift[1];
    const across = (p, i) => u0 + scale * (cy * p[i] + sy * p[i + 2]);
    const down = (p, i) => v0 - scale * (cp * p[i + 1] + sp * (sy * p[i] - cy * p[i + 2]));
    axes(u0, v0, scale, cy, sy, cp, sp);
    for (const layer of layers) {
      if (!layer.shown) continue;
      const p = layer.places;
      if (layer.ends === null) {
        pen.fillStyle = layer.colour;
        for (let i = 0; i < p.length; i += 3) {
          const size = layer.width * (layer.sizes === null ? 1 : layer.sizes[i / 3] / 50);
          pen.fillRect(across(p, i) - size / 2, down(p, i) - size / 2, size, size);
        }
        continue;
      }
      pen.strokeStyle = layer.colour;
      pen.lineWidth = layer.width;
      pen.beginPath();
      let first = 0;
      for (const end of layer.ends) {
        for (let k = first; k < end; k++)
          pen[k === first ? "moveTo" : "lineTo"](across(p, 3 * k), down(p, 3 * k));
        first = end;
      }
      pen.stroke();
    }
    scaleBar(box, scale);
  }

  function axes(u0, v0, scale, cy, sy, cp, sp) {
    pen.strokeStyle = "#c0c0c0";
    pen.fillStyle = "#606060";
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    const ends = { x: [cy, -sp * sy], y: [0, -cp], z: [sy, sp * cy] };
    for (const [name, [du, dv]] of Object.entries(ends)) {
      const u = u0 + du * scale * reach_cm * 0.4, v = v0 + dv * scale * reach_cm * 0.4;
      if (Math.hypot(u - u0, v - v0) < 8) continue;
      pen.beginPath();
      pen.moveTo(u0, v0);
      pen.lineTo(u, v);
      pen.stroke();
      pen.fillText(name, u + 3, v - 3);
    }
  }

  function scaleBar(box, scale) {
    const wanted = box.width / 6 / scale, power = 10 ** Math.floor(Math.log10(wanted));
    const length = [5, 2, 1].find((step) => step * power <= wanted) * power;
    const left = 16, low = box.height - 16;
    pen.strokeStyle = pen.fillStyle = "#333333";
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(left, low);
    pen.lineTo(left + length * scale, low);
    pen.stroke();
    pen.fillText(`${Number(length.toPrecision(1))} cm`, left, low - 6);
  }

  const list = document.getElementById("layers");
  for (const layer of layers) {
    const label = document.createElement("label"), box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      layer.shown = box.checked;
      draw();
    });
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.style.background = layer.colour;
    const drawn = layer.ends === null ? layer.places.length / 3 : layer.ends.length;
    const some = drawn === layer.there ? "" : `, ${drawn.toLocaleString("en")} drawn`;
    label.append(box, mark, `${layer.name} (${layer.there.toLocaleString("en")}${some})`);
    list.append(label);
  }
  for (const button of document.querySelectorAll("button[data-view]"))
    button.addEventListener("click", () => look(button.dataset.view));

  let held = null;
  canvas.addEventListener("pointerdown", (at) => {
    held = [at.clientX, at.clientY];
    canvas.setPointerCapture(at.pointerId);
  });
  canvas.addEventListener("pointerup", () => (held = null));
  canvas.addEventListener("pointermove", (at) => {
    if (held === null) return;
    const [du, dv] = [at.clientX - held[0], at.clientY - held[1]];
    held = [at.clientX, at.clientY];
    if (at.shiftKey) shift = [shift[0] + du, shift[1] + dv];
    else {
      yaw += du * 0.006;
      pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, pitch + dv * 0.006));
    }
    draw();
  });
  canvas.addEventListener(
    "wheel",
    (at) => {
      at.preventDefault();
      zoom(Math.exp(at.deltaY * 0.0012));
    },
    { passive: false },
  );
  const zoom = (factor) => {
    reach_cm = Math.max(0.02, Math.min(1500, reach_cm * factor));
    draw();
  };
  canvas.addEventListener("keydown", (key) => {
    const turns = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    if (key.key === "+" || key.key === "-") zoom(key.key === "+" ? 0.8 : 1.25);
    else if (key.key in turns) {
      yaw += turns[key.key][0];
      pitch += turns[key.key][1];
      draw();
    } else return;
    key.preventDefault();
  });
  window.addEventListener("resize", draw);
  look("turned");
})();
