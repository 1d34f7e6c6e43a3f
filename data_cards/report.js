"use strict";
// Everything a model wrote is set as textContent; nothing here builds HTML from text.
const source = document.getElementById("data");
const traces = JSON.parse(source.textContent);
const filters = document.getElementById("filters");
const list = document.getElementById("list");
const article = document.getElementById("trace");
const tone = { accept: "good", reject: "bad" };
let visible = [];
let current = 0;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fillSelect(name) {
  const values = [...new Set(traces.map((trace) => trace[name]))].sort();
  for (const value of values) {
    const option = element("option", value);
    option.value = value;
    filters.elements[name].append(option);
  }
}

function matches(trace) {
  for (const name of ["domain", "outcome", "reason"]) {
    const wanted = filters.elements[name].value;
    if (wanted && trace[name] !== wanted) return false;
  }
  const text = filters.elements.text.value.toLowerCase();
  if (!text) return true;
  return [trace.question, trace.reasoning, trace.answer].some((part) =>
    part.toLowerCase().includes(text));
}

function addText(title, text) {
  if (text === "" || text === null) return;
  article.append(element("h3", title), element("pre", text));
}

function provenance(trace) {
  const rate = trace.pass_rate === null
    ? "no sample of this prompt was decided"
    : `pass rate ${(100 * trace.pass_rate).toFixed(0)} % of ${trace.decided_samples} decided`;
  const parts = [trace.sample_id, trace.source, trace.difficulty,
    `${trace.completion_tokens} tokens`, `finish: ${trace.finish_reason}`,
    `temperature ${trace.temperature}`, trace.attempts === 1 ? "1 attempt" : `${trace.attempts} attempts`, rate];
  return parts.filter((part) => part !== "").join(" · ");
}

function verdictLine(said) {
  const detail = said.detail === "" ? "" : `\n    ${said.detail}`;
  return `${said.verifier} (${said.verifier_version}): ${said.outcome}, ${said.reason}${detail}`;
}

function show(index) {
  current = Math.max(0, Math.min(index, visible.length - 1));
  article.replaceChildren();
  for (const [place, item] of [...list.children].entries()) {
    item.firstChild.setAttribute("aria-current", String(place === current));
  }
  const trace = visible[current];
  if (!trace) {
    article.append(element("p", "No trace matches these filters.", "quiet"));
    return;
  }
  const verdict = element("p");
  verdict.append(
    element("span", `${trace.outcome}: ${trace.reason}`, `verdict ${tone[trace.outcome] || "unsure"}`),
    element("span", ` by ${trace.verifier}`, "quiet"));
  article.append(verdict, element("p", provenance(trace), "quiet"));
  addText("Question", trace.question);
  addText("Choices", trace.choices.join("\n"));
  addText("Reasoning", trace.reasoning);
  addText("Answer", trace.answer);
  addText(`Reference (${trace.reference_kind})`, trace.reference);
  addText("Tests", trace.tests.join("\n"));
  addText("Verdicts", trace.verdicts.map(verdictLine).join("\n"));
  list.children[current].scrollIntoView({ block: "nearest" });
}

function refresh() {
  visible = traces.filter(matches);
  const total = Number(source.dataset.total);
  const sample = total > traces.length
    ? ` A sample of ${total.toLocaleString("en")}, spread over domains and reasons.` : "";
  document.getElementById("count").textContent =
    `${visible.length} of ${traces.length} traces shown.${sample}`;
  list.replaceChildren(...visible.map((trace, place) => {
    const button = element("button");
    button.type = "button";
    button.dataset.outcome = trace.outcome;
    button.append(element("span", trace.question.trim() || "(empty question)"),
      element("small", `${trace.domain} · ${trace.reason}`));
    button.addEventListener("click", () => show(place));
    const item = element("li");
    item.append(button);
    return item;
  }));
  show(0);
}

["domain", "outcome", "reason"].forEach(fillSelect);
filters.addEventListener("input", refresh);
filters.addEventListener("submit", (event) => event.preventDefault());
list.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  show(current + step);
  list.children[current]?.firstChild.focus();
});
refresh();
