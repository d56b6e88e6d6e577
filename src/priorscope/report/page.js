// Replace each static drawing by an interactive one of the same chart. Without scripts, or if
// anything fails, the static drawing stays.
addEventListener("load", async () => {
  for (const chart of document.querySelectorAll(".chart")) {
    const spec = JSON.parse(chart.querySelector("script").textContent);
    const view = document.createElement("div");
    view.className = "drawing";
    for (const name of ["role", "aria-label"]) {
      view.setAttribute(name, chart.querySelector(".drawing").getAttribute(name));
    }
    try {
      // ast: expressions are interpreted, because the page forbids making code from strings.
      const options = { actions: false, renderer: "svg", ast: true, defaultStyle: false };
      await vegaEmbed(view, spec, options);
      chart.querySelector(".drawing").replaceWith(view);
      chart.dataset.interactive = "yes";
    } catch (error) {
      console.error(error);
    }
  }
  document.documentElement.dataset.charts = "drawn";
});
