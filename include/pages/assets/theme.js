// Follows the light and dark switch of Airflow, whose interface keeps the choice in the browser under this name.
(() => {
  const KEY = "theme";
  function follow() {
    let chosen = null;
    try {
      chosen = localStorage.getItem(KEY);
    } catch { /* no storage, no choice: the browser's own preference */ }
    const root = document.documentElement;
    if (chosen === "light" || chosen === "dark") root.setAttribute("data-theme", chosen);
    else root.removeAttribute("data-theme");
  }
  addEventListener("storage", follow);
  follow();
})();
