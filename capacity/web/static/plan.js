"use strict";
// The figures follow the form at once; without this script its button does the same.
(() => {
  const form = document.getElementById("plan");
  const says = document.getElementById("plan-says");
  let timer = 0;
  let asked = 0;

  function address() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value !== "") query.append(name, value);
    }
    return `${form.action}?${query}`;
  }

  async function follow() {
    const number = ++asked;
    const url = address();
    says.textContent = "computing …";
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (number !== asked) return; // a later change is on its way
      const figures = page.getElementById("figures");
      if (!answer.ok || figures === null) {
        says.textContent = page.querySelector("main p").textContent.trim();
        return;
      }
      const link = page.getElementById("plan-link").getAttribute("href");
      document.getElementById("figures").replaceWith(figures);
      history.replaceState(null, "", link);
      says.textContent = "up to date";
    } catch {
      says.textContent = "the service cannot be reached: press Compute to try again";
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(follow, 250);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    follow();
  });
})();
