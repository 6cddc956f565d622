// Uses the page in Chromium as a person does, through the browser's debugging pipe. Steps as JSON on standard
// input: texts to put into fields, files to choose or to drop, a picture to take. What the page then shows on standard
// output.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [page, profile] = process.argv.slice(2);
const { cases, width = 1280, dark = false } = JSON.parse(readFileSync(0, "utf8"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", `--user-data-dir=${profile}`];
const browser = spawn("chromium", flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , commands, answers] = browser.stdio;

let last = 0;
let unread = "";
const waiting = new Map();
const troubles = [];
answers.on("data", (chunk) => {
  const messages = (unread + chunk).split("\0");
  unread = messages.pop();
  for (const message of messages.map((text) => JSON.parse(text))) {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
    if (message.method === "Log.entryAdded") troubles.push(message.params.entry.text);
    if (message.method === "Runtime.exceptionThrown") troubles.push(message.params.exceptionDetails.text);
    const asked = message.method === "Network.requestWillBeSent" && message.params.request.url;
    if (asked && asked !== pathToFileURL(page).href) troubles.push(asked);
  }
});

let sessionId;
async function send(method, params = {}) {
  const id = ++last;
  const answered = new Promise((resolve) => waiting.set(id, resolve));
  commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  const { result, error } = await answered;
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

async function evaluate(expression) {
  const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
  return result.value;
}

async function until(expression) {
  for (let tries = 0; tries < 200; tries++) {
    if (await evaluate(expression)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never came true: ${expression}`);
}

async function choose(id, path) {
  const { root } = await send("DOM.getDocument");
  const { nodeId } = await send("DOM.querySelector", { nodeId: root.nodeId, selector: `#${id}-file` });
  await send("DOM.setFileInputFiles", { nodeId, files: [path] });
  await until(`document.getElementById("status").textContent.startsWith("Read ")`);
}

// Files from another window cannot be dragged in here, so the event is made up.
async function drop(files) {
  await evaluate(`{
    const dataTransfer = new DataTransfer();
    for (const [name, text] of ${JSON.stringify(Object.entries(files))}) dataTransfer.items.add(new File([text], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }`);
  await until(`document.getElementById("status").textContent.includes(" as the ")`);
}

async function run({ texts = {}, files = {}, dropped = {}, picture }) {
  await evaluate("window.left = true");
  await send("Page.navigate", { url: pathToFileURL(page).href });
  await until(`!window.left && document.readyState === "complete" && document.getElementById("form")?.hidden === false`);
  for (const [id, text] of Object.entries(texts)) {
    await evaluate(`{
      const field = document.getElementById(${JSON.stringify(id)});
      field.closest("details")?.setAttribute("open", "");
      field.focus();
    }`);
    await send("Input.insertText", { text });
  }
  for (const [id, path] of Object.entries(files)) await choose(id, path);
  if (Object.keys(dropped).length > 0) await drop(dropped);
  await evaluate(`document.querySelector("button[type=submit]").focus()`);
  await send("Input.dispatchKeyEvent", { type: "keyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" });
  await send("Input.dispatchKeyEvent", { type: "keyUp", key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 });
  await until(`!document.getElementById("result").hidden || /^Nothing/.test(document.getElementById("status").textContent)`);
  const shown = await evaluate(`({
    headline: document.getElementById("headline").textContent,
    lines: [...document.querySelectorAll("#lines dd")].map((line) => line.textContent),
    notes: [...document.querySelectorAll("#notes li")].map((line) => line.textContent),
    status: document.getElementById("status").textContent,
    focus: document.activeElement.id,
    tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    small: [...document.querySelectorAll("button, input, summary")]
      .filter((control) => control.getClientRects().length > 0 && control.getBoundingClientRect().height < 44)
      .map((control) => control.id || control.tagName),
  })`);
  if (picture) {
    const { data } = await send("Page.captureScreenshot", { captureBeyondViewport: true });
    writeFileSync(picture, Buffer.from(data, "base64"));
  }
  return shown;
}

try {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  ({ sessionId } = await send("Target.attachToTarget", { targetId, flatten: true }));
  for (const domain of ["Page", "DOM", "Log", "Network", "Runtime"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 });
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  const shown = [];
  for (const each of cases) shown.push(await run(each));
  process.stdout.write(JSON.stringify({ shown, troubles }));
} finally {
  browser.kill();
}
