// The one script of our pages. Every page works without it.
import { initAll } from "./govuk-frontend.min.js";
import { keepTyped } from "./autosave.js";
import { warnOfClosing } from "./closing.js";
import { countDownHolds } from "./hold.js";
import { sendOnce } from "./once.js";
import { awaitOpening } from "./opening.js";
import { followPieces } from "./pieces.js";
import { followSeats } from "./seats.js";
import { sendFilesToStore } from "./upload.js";

// The class that GOV.UK Frontend's template sets inline, which our security policy forbids.
document.body.classList.add("js-enabled", "govuk-frontend-supported");

initAll();
awaitOpening();
countDownHolds();
followPieces();
followSeats();
keepTyped();
sendFilesToStore();
sendOnce();
warnOfClosing();
