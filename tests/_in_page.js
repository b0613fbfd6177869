/**
 * What runs in a page that is tested: it has a DOM, which the rest of the project's types know nothing of. A
 * function is sent as its text, and sees nothing of this file.
 * @module
 */

/** Unfolds all of the page; gives its height. */
export function unfold() {
  for (const part of document.querySelectorAll("details")) part.open = true;
  for (const part of document.querySelectorAll(".tall,table")) part.style.maxHeight = "none";
  return document.documentElement.scrollHeight;
}

/** See `faults` of `_page_checks.ts`. */
export function findFaults() {
  const found = new Set(), known = new Map();
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  /** A colour of CSS as red, green, blue of 0 to 255, and alpha of 0 to 1. */
  const colour = (text) => {
    if (!known.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(text, [r, g, b, a / 255]);
    }
    return known.get(text);
  };
  const over = (top, under) => [
    ...[0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])),
    1,
  ];
  /** Relative luminance and contrast: WCAG 2.2. */
  const luminance = (c) => {
    const [r, g, b] = c.slice(0, 3).map((x) => x / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paint = (element) => {
    const style = getComputedStyle(element);
    if (!(element instanceof SVGElement) || element instanceof SVGSVGElement) {
      return colour(style.backgroundColor);
    }
    if (style.fill === "none" || element instanceof SVGTextContentElement) return [0, 0, 0, 0];
    const [r, g, b, a] = colour(style.fill);
    return [r, g, b, a * Number(style.fillOpacity) * Number(style.opacity)];
  };
  const ground = (x, y, text) => {
    const stack = document.elementsFromPoint(x, y), from = stack.indexOf(text);
    return (from < 0 ? stack : stack.slice(from)).map(paint).reverse()
      .reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const check = (element, style, box, words) => {
    const isDrawn = element instanceof SVGGraphicsElement;
    const name = `${element.tagName}.${element.getAttribute("class") ?? ""} "${
      words.slice(0, 30)
    }"`;
    const size = parseFloat(style.fontSize) * (isDrawn ? element.getScreenCTM().a : 1);
    if (size < 11) found.add(`${name} is ${size.toFixed(1)} px high`);
    const under = ground(box.left + box.width / 2, box.top + box.height / 2, element);
    const ink = over(colour(isDrawn ? style.fill : style.color), under);
    const [light, dark] = [luminance(ink), luminance(under)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) found.add(`${name} has a contrast of ${ratio.toFixed(2)}`);
    const place = isDrawn && element.ownerSVGElement.getBoundingClientRect();
    if (place && (box.left < place.left - 0.5 || box.right > place.right + 0.5)) {
      found.add(`${name} is cut off by its drawing`);
    }
    if (box.left < -0.5 || box.right > innerWidth + 0.5) found.add(`${name} is cut off`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, words = node.textContent.trim();
    if (words === "" || element.closest("title,desc,script,option,.unseen")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (box && box.width > 0) check(element, getComputedStyle(element), box, words);
  }
  for (const element of document.querySelectorAll("td,th button,.right")) {
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(element, part), box = element.getBoundingClientRect();
      if (style.content === "none" || style.content === "normal" || box.width === 0) continue;
      check(element, style, new DOMRect(box.left + 1, box.top + 1, 1, 1), part);
    }
  }
  for (const element of document.querySelectorAll("html,main,main *")) {
    if (element.closest("svg,select,option,.unseen")) continue;
    if (element.scrollWidth <= element.clientWidth + 1 || element.clientWidth === 0) continue;
    if (getComputedStyle(element).display === "inline") continue;
    const name = `${element.tagName}.${element.className}`;
    found.add(`${name} is ${element.scrollWidth} px wide in ${element.clientWidth}`);
  }
  return [...found];
}

/** See `textsOf` of `_page_checks.ts`. */
export function readTexts(elements) {
  const short = { "\\n": "\n", "\\r": "\r", "\\t": "\t" };
  const read = (node) => {
    if (node.nodeName !== "I") {
      return node.nodeType === 3 ? node.textContent : [...node.childNodes].map(read).join("");
    }
    const spelled = node.textContent;
    return short[spelled] ?? String.fromCodePoint(parseInt(spelled.slice(3, -1), 16));
  };
  return elements.map(read);
}

/** Name of the document's first element. */
export const rootName = () => document.documentElement.nodeName;
