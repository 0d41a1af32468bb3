// The one script of our pages. Every page works without it.
import { initAll } from "./govuk-frontend.min.js";
import { countDownHolds } from "./hold.js";
import { sendOnce } from "./once.js";
import { followPieces } from "./pieces.js";
import { followSeats } from "./seats.js";
import { sendFilesToStore } from "./upload.js";

// The class that GOV.UK Frontend's template sets inline, which our security policy forbids.
document.body.classList.add("js-enabled", "govuk-frontend-supported");

initAll();
countDownHolds();
followPieces();
followSeats();
sendFilesToStore();
sendOnce();
