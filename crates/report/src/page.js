"use strict";
(function () {
  // The read-out under the pointer takes its words from the table folded under the picture.
  function el(name, parent, text) {
    var e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    parent.appendChild(e);
    return e;
  }
  function words(row) {
    return Array.prototype.map.call(row.cells, function (c) { return c.textContent; });
  }
  document.querySelectorAll("figure").forEach(function (figure) {
    var svg = figure.querySelector("svg.chart"), table = figure.querySelector("details table");
    if (!svg || !table) return;
    var grid = (svg.dataset.grid || "").split(" ").map(Number);
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    var head = words(table.tHead.rows[0]);
    var placed = rows.filter(function (r) { return r.dataset.px !== undefined; });
    if (grid.length !== 6) { if (!placed.length) return; }
    var title = svg.querySelector("title");
    var tip = null, cursor = null;
    function clear() {
      if (tip) tip.remove();
      if (cursor) cursor.remove();
      tip = cursor = null;
    }
    function show(event, label, lines) {
      if (!tip) { tip = el("div", figure); tip.className = "tip"; tip.setAttribute("aria-hidden", "true"); }
      tip.textContent = "";
      el("b", tip, label);
      lines.forEach(function (l) { var s = el("span", tip); el("i", s, l[0]); el("span", s, l[1]); });
      var box = figure.getBoundingClientRect();
      var x = event.clientX - box.left + 16, y = event.clientY - box.top + 14;
      if (x + tip.offsetWidth + 8 > box.width) x = Math.max(4, x - tip.offsetWidth - 30);
      tip.style.left = x + "px";
      tip.style.top = Math.max(4, Math.min(y, box.height - tip.offsetHeight - 8)) + "px";
    }
    svg.addEventListener("pointermove", function (event) {
      if (title) { svg.setAttribute("aria-label", title.textContent); title.remove(); title = null; }
      var box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
      var x = (event.clientX - box.left) * view.width / box.width, y = (event.clientY - box.top) * view.height / box.height;
      if (grid.length === 6) {
        var c = Math.floor((x - grid[0]) / (grid[2] - grid[0]) * grid[4]), r = Math.floor((y - grid[1]) / (grid[3] - grid[1]) * grid[5]);
        var row = rows[r];
        if (Math.min(c, r) >= 0) if (grid[4] > c) if (row) {
          var cells = words(row), names = head[0].split(" \\ ");
          show(event, "", [[names[0], cells[0]], [names[1] || "", head[c + 1]], ["value", cells[c + 1]]]);
          return;
        }
        clear();
        return;
      }
      var best = placed[0], far = Infinity;
      placed.forEach(function (r) { var d = Math.abs(r.dataset.px - x); if (far > d) { far = d; best = r; } });
      if (far > 60) { clear(); return; }
      var cells2 = words(best);
      show(event, head[0] + " " + cells2[0], head.slice(1).map(function (h, i) { return [h, cells2[i + 1]]; }).filter(function (l) { return l[1] !== ""; }));
      if (!cursor) {
        cursor = document.createElementNS(svg.namespaceURI, "line");
        cursor.setAttribute("class", "cursor");
        cursor.setAttribute("y1", svg.dataset.top);
        cursor.setAttribute("y2", svg.dataset.bottom);
        svg.appendChild(cursor);
      }
      cursor.setAttribute("x1", best.dataset.px);
      cursor.setAttribute("x2", best.dataset.px);
    });
    svg.addEventListener("pointerleave", clear);
  });
  document.querySelectorAll(".code").forEach(function (code) {
    if (!navigator.clipboard) return;
    var button = el("button", code, "Copy");
    button.type = "button";
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(code.querySelector("pre").textContent).then(function () {
        button.textContent = "Copied";
        setTimeout(function () { button.textContent = "Copy"; }, 1500);
      });
    });
  });
})();
