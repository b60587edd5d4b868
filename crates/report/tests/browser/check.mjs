// Opens every page of a folder in a real browser, light and dark, narrow and wide, and checks what
// only a browser knows: no console errors, no requests, headings visible, nothing wider than the window.
//
//   cargo run -p elman-report --example pages -- /tmp/pages
//   npm install --prefix /tmp/browser playwright-core
//   NODE_PATH=/tmp/browser/node_modules node crates/report/tests/browser/check.mjs /tmp/pages [screenshots]
//
// The browser is Debian's chromium, or the one named in CHROMIUM.
import { createRequire } from "node:module";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// `require` rather than `import`, because only it looks into NODE_PATH.
const { chromium } = createRequire(import.meta.url)("playwright-core");

const folder = process.argv[2];
const pictures = process.argv[3];
if (!folder || !existsSync(folder)) {
  console.error("usage: check.mjs FOLDER-OF-PAGES [FOLDER-FOR-SCREENSHOTS]");
  process.exit(2);
}
if (pictures) mkdirSync(pictures, { recursive: true });

const profile = mkdtempSync(join(tmpdir(), "elman-report-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags,
});

const faults = [];
const files = readdirSync(folder).filter((f) => /\.(html|svg)$/.test(f)).sort();
let looks = 0;

async function look(file, colorScheme, width) {
  const where = `${file} ${colorScheme} ${width}px`;
  const picture = pathToFileURL(resolve(folder, file)).href;
  const url = file.endsWith(".svg") ? framed(picture) : picture;
  const page = await context.newPage();
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) faults.push(`${where}: console: ${m.text()}`); });
  page.on("pageerror", (e) => faults.push(`${where}: ${e.message}`));
  page.on("request", (r) => { if (![url, picture].includes(r.url())) faults.push(`${where}: asks for ${r.url()}`); });
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme });
  await page.goto(url);
  if (file.endsWith(".html")) {
    const seen = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      hidden: [...document.querySelectorAll("h1, h2, h3")].filter((h) => {
        const box = h.getBoundingClientRect(), style = getComputedStyle(h);
        return box.width === 0 || box.height === 0 || style.visibility !== "visible" || style.color === style.backgroundColor;
      }).map((h) => h.textContent),
      titles: document.querySelectorAll("h1").length,
      pictures: [...document.querySelectorAll("svg.chart")].filter((s) => s.getBoundingClientRect().width < 200 || !s.querySelector("title")).length,
      scripts: document.querySelectorAll("script").length,
    }));
    if (seen.wide > 0) faults.push(`${where}: ${seen.wide}px wider than the window`);
    if (seen.hidden.length) faults.push(`${where}: hidden headings: ${seen.hidden.join(" | ")}`);
    if (seen.titles !== 1) faults.push(`${where}: ${seen.titles} main headings`);
    if (seen.pictures) faults.push(`${where}: ${seen.pictures} pictures too small or without a title`);
    if (seen.scripts !== 1) faults.push(`${where}: ${seen.scripts} scripts, so a text was not escaped`);
    if (width > 600) await hover(page, where);
  }
  if (pictures) await page.screenshot({ path: join(pictures, `${basename(file)}-${colorScheme}-${width}.png`), fullPage: true });
  await page.close();
  looks += 1;
}

// A picture as README files show it: by an <img>, in a page that follows the reader's setting.
function framed(picture) {
  const path = join(profile, "frame.html");
  writeFileSync(path, `<!DOCTYPE html><meta name="color-scheme" content="light dark"><img src="${picture}" onerror="console.error('not an image')">`);
  return pathToFileURL(path).href;
}

// The read-out must appear over the middle of every picture that has one, and go away again.
async function hover(page, where) {
  for (const figure of await page.$$("figure:has(tr[data-px]), figure:has(svg[data-grid])")) {
    const svg = await figure.$("svg.chart");
    await svg.scrollIntoViewIfNeeded();
    const box = await svg.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const text = await figure.evaluate((f) => f.querySelector(".tip")?.textContent || "");
    if (!text.trim()) faults.push(`${where}: no read-out over "${await figure.$eval("h3", (h) => h.textContent)}"`);
    await page.mouse.move(1, 1);
    if (await figure.$(".tip")) faults.push(`${where}: the read-out stays`);
  }
}

try {
  for (const file of files) {
    for (const scheme of ["light", "dark"]) {
      for (const width of [400, 1200]) await look(file, scheme, width);
    }
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const fault of faults) console.error(fault);
console.log(`${files.length} files, ${looks} looks, ${faults.length} faults`);
process.exit(faults.length || !files.length ? 1 : 0);
