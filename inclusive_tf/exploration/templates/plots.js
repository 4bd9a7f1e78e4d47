"use strict";
(function () {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const screen = window.matchMedia("(max-width: 640px)");
  const settings = {
    responsive: true,
    displaylogo: false,
    scrollZoom: false,
    // a finger has no hover that would show it, and it would cover the plot
    displayModeBar: window.matchMedia("(hover: hover)").matches ? "hover" : false,
  };

  // what a narrow screen replaces, so that it can be put back
  function wide(layout, paths) {
    const found = {};
    for (const path of paths) {
      let value = layout;
      for (const key of path.split(".")) value = value && value[key];
      found[path] = value === undefined ? null : value;
    }
    return found;
  }

  async function draw(place) {
    const plot = plots[place.dataset.plot];
    const original = wide(plot.layout, Object.keys(plot.narrow));
    const zooms = plot.layout.xaxis.fixedrange === false;
    const buttons = [...(zooms ? ["zoom2d", "pan2d", "resetScale2d"] : []), "toImage"];
    await Plotly.newPlot(place, plot.data, plot.layout, {
      ...settings,
      modeBarButtons: [buttons],
    });
    place.style.minHeight = "";
    async function fit() {
      const changes = screen.matches ? plot.narrow : original;
      if (Object.keys(changes).length) await Plotly.relayout(place, changes);
    }
    if (screen.matches) await fit();
    screen.addEventListener("change", fit);
  }

  for (const place of document.querySelectorAll("[data-plot]")) {
    draw(place).catch(function (error) {
      place.textContent = "This plot could not be drawn: " + error.message;
    });
  }

  const save = document.getElementById("save");
  save.hidden = false;
  save.addEventListener("click", function () {
    const text = document.getElementById("figures").textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "figures.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
