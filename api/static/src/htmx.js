// htmx with its SSE extension, set up for the strict content security policy of the pages:
// nothing is evaluated, no style is written inline, and no request leaves this origin.
import htmx from "htmx.org";
import "htmx-ext-sse";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
window.htmx = htmx;
