// A question with radio buttons, or with a box for free text. It locks once it is settled.

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function choice(option, group, onChoose) {
  const label = element("label", "jk-choice");
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: group, value: option });
  radio.addEventListener("change", () => onChoose(option));
  label.append(radio, option);
  return label;
}

function freeText(question, onChange) {
  const box = element("input", "jk-free");
  Object.assign(box, { type: "text", placeholder: "your prediction", autocomplete: "off" });
  box.setAttribute("aria-label", question);
  box.addEventListener("input", () => onChange(box.value));
  return box;
}

function render({ model, el }) {
  const form = element("fieldset", "jk-predict");
  form.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const kind of ["keydown", "keyup", "keypress", "paste", "copy", "cut"]) {
    form.addEventListener(kind, (event) => event.stopPropagation());
  }
  const legend = element("legend", "jk-question");
  legend.append(element("span", "jk-label", "Predict"), model.get("question"));
  const answers = element("div", "jk-answers");
  const verdict = element("div", "jk-verdict");
  verdict.setAttribute("role", "status");
  const record = (guess) => { model.set("guess", guess); model.save_changes(); };
  const group = `jk-${Math.random()}`; // ties the buttons of this one view together
  const options = model.get("options");
  answers.append(...(options.length
    ? options.map((option) => choice(option, group, record))
    : [freeText(model.get("question"), record)]));
  form.append(legend, answers, verdict);
  el.append(form);

  const show = () => {
    const guess = model.get("guess"), settled = model.get("settled");
    for (const input of answers.querySelectorAll("input")) {
      if (input.type === "radio") input.checked = input.value === guess;
      else if (input.value !== guess) input.value = guess;
      input.disabled = settled;
    }
    const recorded = guess ? `Your prediction: ${guess}. Run the next cell.` : "";
    verdict.textContent = settled ? model.get("verdict") : recorded;
  };
  const events = ["change:guess", "change:settled", "change:verdict"];
  events.forEach((event) => model.on(event, show));
  show();
  return () => events.forEach((event) => model.off(event, show));
}

export default { render };
