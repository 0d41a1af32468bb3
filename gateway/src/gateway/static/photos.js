// What a phone photographs, made fit to be sent: a photo over the limit is shrunk to a legible one,
// several become one PDF. Any other file goes as it is.
import { megabytes, Refusal } from "./refusal.js";
import { _ } from "./texts.js";

// Longest side and quality, from the most legible to what can still be read on a screen.
const TRIES = [
  [4000, 0.85],
  [3000, 0.85],
  [2500, 0.8],
  [2000, 0.8],
  [2000, 0.6],
  [1600, 0.6],
  [1280, 0.5],
];
const HOPELESS = 2;
const A4 = [595.28, 841.89];
const PDF_OVERHEAD = 32 * 1024;
const PDF_OVERHEAD_PER_PAGE = 4 * 1024;

const UNREADABLE = _(
  "Cette photo n'a pas pu être lue. Choisissez-en une autre, au format JPG ou PNG.",
);
const TOO_MANY = _(
  "Ces photos sont trop nombreuses pour un seul fichier : choisissez-en moins.",
);
const NO_LIBRARY = _(
  "Les photos n'ont pas pu être réunies. Vérifiez votre connexion, puis choisissez-les de nouveau.",
);
const ONLY_PHOTOS = _(
  "Seules des photos peuvent être réunies en un fichier. Choisissez un seul PDF, ou seulement des photos.",
);

/**
 * Give the one `file` to send for those chosen, and what the family is `told` of it; what takes a
 * while is said meanwhile.
 */
export async function prepare(files, maxBytes, say) {
  if (files.length === 0) throw new Refusal(_("Choisissez un fichier"));
  if (files.some((file) => file.size === 0)) {
    throw new Refusal(_("Le fichier est vide : choisissez-en un autre"));
  }
  if (files.length > 1) return await join(files, maxBytes, say);
  const [file] = files;
  if (file.size <= maxBytes) return { file, told: "" };
  if (!isPhoto(file)) {
    throw new Refusal(
      _("Le fichier est trop lourd (%(size)s) : %(limit)s au plus", {
        size: megabytes(file.size),
        limit: megabytes(maxBytes),
      }),
    );
  }
  say(_("Préparation de la photo…"));
  return await shrink(file, maxBytes);
}

function isPhoto(file) {
  return file.type.startsWith("image/");
}

async function shrink(photo, maxBytes) {
  const { blob } = await legible(photo, maxBytes);
  const file = new File([blob], renamed(photo.name, "jpg"), { type: blob.type });
  const sizes = { before: megabytes(photo.size), after: megabytes(file.size) };
  const told = _("La photo a été réduite de %(before)s à %(after)s pour être envoyée.", sizes);
  return { file, told };
}

async function join(photos, maxBytes, say) {
  if (!photos.every(isPhoto)) throw new Refusal(ONLY_PHOTOS);
  const library = await import("./pdf-lib.esm.min.js").catch(() => {
    throw new Refusal(NO_LIBRARY);
  });
  const left = maxBytes - PDF_OVERHEAD;
  const most = Math.floor(left / photos.length) - PDF_OVERHEAD_PER_PAGE;
  const pdf = await library.PDFDocument.create();
  // One after the other: a phone has no memory for several at once.
  for (const [index, photo] of photos.entries()) {
    const done = { number: index + 1, count: photos.length };
    say(_("Préparation des photos : %(number)s sur %(count)s…", done));
    const { blob, width, height } = await legible(photo, most, TOO_MANY);
    const sides = width > height ? [...A4].reverse() : A4;
    const scale = Math.min(sides[0] / width, sides[1] / height);
    const image = await pdf.embedJpg(await blob.arrayBuffer());
    pdf.addPage(sides).drawImage(image, {
      x: (sides[0] - width * scale) / 2,
      y: (sides[1] - height * scale) / 2,
      width: width * scale,
      height: height * scale,
    });
  }
  const file = new File([await pdf.save()], renamed(photos[0].name, "pdf"), {
    type: "application/pdf",
  });
  const told = _("Les %(count)s photos sont réunies en un PDF de %(size)s.", {
    count: photos.length,
    size: megabytes(file.size),
  });
  return { file, told };
}

/** Encode a photo anew, upright, as legibly as `maxBytes` allows. */
async function legible(photo, maxBytes, tooHeavy = UNREADABLE) {
  const bitmap = await createImageBitmap(photo).catch(() => {
    throw new Refusal(UNREADABLE);
  });
  const canvas = document.createElement("canvas");
  try {
    const longest = Math.max(bitmap.width, bitmap.height);
    let bytesPerPixel = 0;
    for (const [most, quality] of TRIES) {
      const scale = Math.min(most / longest, 1);
      const pixels = bitmap.width * bitmap.height * scale ** 2;
      // Encoding takes a phone a while: what is far too heavy is not tried.
      if (bytesPerPixel * pixels > HOPELESS * maxBytes) continue;
      draw(bitmap, canvas, scale);
      const blob = await encoded(canvas, quality);
      if (blob && blob.size <= maxBytes) {
        return { blob, width: canvas.width, height: canvas.height };
      }
      bytesPerPixel = (blob?.size ?? 0) / pixels;
    }
  } finally {
    // Some phones keep a canvas in memory for as long as it has a size.
    canvas.width = canvas.height = 0;
    bitmap.close();
  }
  throw new Refusal(tooHeavy);
}

function draw(bitmap, canvas, scale) {
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const context = canvas.getContext("2d", { alpha: false });
  // What is transparent would turn black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

function encoded(canvas, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

function renamed(name, ending) {
  return `${name.replace(/\.[^.]*$/, "")}.${ending}`;
}
