// htmx with its SSE extension, set up for the strict content security policy of the pages:
// nothing is evaluated, no style is written inline, and no request leaves this origin.
import htmx from "htmx.org";
import "htmx-ext-sse";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.scrollBehavior = "auto";
window.htmx = htmx;
document.documentElement.classList.add("enhanced");

// A live refresh never pulls a field from under the person who is typing or choosing in it.
document.addEventListener("htmx:beforeSwap", (event) => {
    const cause = event.detail.requestConfig?.triggeringEvent;
    const busy = event.detail.target?.querySelector(":is(input, select, textarea, summary):focus, details[open]");
    if (cause?.type?.startsWith("sse:") && busy) event.detail.shouldSwap = false;
});

// A menu closes when the person turns elsewhere.
const close = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
};
document.addEventListener("click", (event) => close(event.target));
document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(null);
});
