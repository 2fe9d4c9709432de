// Filters, gallery and viewer of the report. Pictures are base64 text in blocks at the end of the
// file; a picture is decoded when its card comes near the screen.
(() => {
  const data = JSON.parse(document.getElementById("gallery-data").textContent);
  const root = document.documentElement;
  const cards = document.getElementById("cards");
  const form = document.getElementById("filters");
  const viewer = document.getElementById("viewer");
  const SVG = "http://www.w3.org/2000/svg";
  const PAGE = 48;
  const COLORS = [
    "#ffb000",
    "#42a5ff",
    "#ff6fae",
    "#3ddc97",
    "#b78cff",
    "#ff7f50",
    "#28d3e0",
    "#d6e04b",
  ];
  const WORDS = {
    all: ["all", "모두"],
    unknown: ["unknown", "알 수 없음"],
    any: ["any", "하나라도 있음"],
    human: ["by people", "사람"],
    machine: ["by machine", "기계"],
    failed: ["failed", "실패"],
    nothing: ["nothing", "없음"],
    of: ["of", "/"],
    objects: ["objects", "객체"],
    labeled: ["labeled", "라벨"],
    classes: ["classes", "클래스"],
    iteration: ["iteration", "반복"],
    workers: ["workers", "작업자"],
    agreement: ["agreement", "일치도"],
    score: ["against truth", "정답 대비"],
    confidence: ["lowest confidence", "최저 신뢰도"],
    doubts: ["doubts", "의심"],
    dashed: ["dashed: truth", "점선: 정답"],
    source: ["image", "이미지"],
    line: ["line", "줄"],
    reason: ["because", "이유"],
    gone: ["no picture", "그림 없음"],
    // Why a label is doubted.
    truth: ["far from truth", "정답과 다름"],
    "doubt-workers": ["workers disagree", "작업자 불일치"],
    model: ["model disagrees", "모델과 다름"],
    "doubt-confidence": ["low confidence", "낮은 신뢰도"],
    duplicate: ["box drawn twice", "중복 상자"],
    outside: ["outside the image", "이미지 밖"],
    tiny: ["tiny box", "아주 작은 상자"],
  };
  let language = 0;
  const word = (key) => (WORDS[key] ? WORDS[key][language] : key);
  const doubtWord = (kind) => word(WORDS[`doubt-${kind}`] ? `doubt-${kind}` : kind);
  const fixed = (value) => value.toFixed(2);

  // Objects are arrays in the file, to keep it small; data.fields names what is in them.
  const objects = data.objects.map((row, index) => {
    const object = Object.fromEntries(data.fields.map((field, place) => [field, row[place]]));
    return {
      ...object,
      index,
      source: data.sources[object.source],
      address: data.prefixes[object.prefix] + object.name,
    };
  });

  // Pictures

  const blocks = new Map();
  const addresses = new Map();
  function picture(index) {
    if (addresses.has(index)) return addresses.get(index);
    const number = Math.floor(index / data.perBlock);
    if (!blocks.has(number)) {
      const block = document.getElementById(`pictures-${number}`);
      // Its text may be there in part only while the file is being read.
      if (!block || document.readyState === "loading") return undefined;
      blocks.set(number, block.textContent.split("\n"));
      block.textContent = "";
    }
    const text = blocks.get(number)[(index % data.perBlock) + 1];
    const bytes = Uint8Array.from(atob(text.replace("!", "")), (character) =>
      character.charCodeAt(0),
    );
    if (text.startsWith("!")) return { gone: new TextDecoder().decode(bytes) };
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
    addresses.set(index, address);
    return address;
  }
  function release(kept) {
    for (const [index, address] of addresses) {
      if (!kept.has(index)) {
        URL.revokeObjectURL(address);
        addresses.delete(index);
      }
    }
  }

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }
  function shape(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
  const color = (classIndex) => COLORS[classIndex % COLORS.length];

  function drawing(object, withNames) {
    const svg = shape("svg", {
      viewBox: `0 0 ${object.width} ${object.height}`,
      "aria-hidden": "true",
    });
    const truths = shape("g", { class: "truths" });
    for (const [x, y, width, height] of object.truth ?? []) {
      truths.append(shape("rect", { class: "truth", x, y, width, height }));
    }
    const drawn = shape("g", { class: "boxes" });
    const size = Math.max(object.width, object.height) / 46;
    for (const [classIndex, x, y, width, height, confidence] of object.boxes) {
      drawn.append(shape("rect", { class: "under", x, y, width, height }));
      drawn.append(shape("rect", { x, y, width, height, stroke: color(classIndex) }));
      if (withNames) {
        const told = confidence === null ? "" : ` ${fixed(confidence)}`;
        const text = shape("text", {
          x: x + size / 4,
          y: Math.max(y - size / 3, size),
          style: `font-size:${size}px;stroke-width:${size / 5}px`,
        });
        text.textContent = data.classes[classIndex] + told;
        drawn.append(text);
      }
    }
    svg.append(truths, drawn);
    return svg;
  }
  function frame(object, withNames) {
    const width = object.width || 4;
    const height = object.height || 3;
    const fit = element("div", { className: "fit" });
    fit.style.aspectRatio = `${width} / ${height}`;
    if (!withNames) fit.style[width / height >= 4 / 3 ? "width" : "height"] = "100%";
    const image = element("img", { alt: "", decoding: "async", width, height });
    fit.append(image);
    if (object.width) fit.append(drawing(object, withNames));
    const holder = element("div", { className: "picture" }, fit);
    return { holder, image };
  }
  function load(image, object, holder) {
    const address = picture(object.index);
    if (typeof address === "string") {
      image.src = address;
    } else if (address === undefined && document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => load(image, object, holder), {
        once: true,
      });
    } else {
      image.remove();
      holder.append(
        element("span", { className: "gone", textContent: address?.gone ?? word("gone") }),
      );
    }
  }

  // Gallery

  let found = [];
  let shown = 0;
  const nearby = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) {
          nearby.unobserve(entry.target);
          const { object, image, holder } = entry.target.loads;
          load(image, object, holder);
        }
      }
    },
    { rootMargin: "400px" },
  );
  const end = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) grow();
    },
    { rootMargin: "900px" },
  );

  function card(object, place) {
    const { holder, image } = frame(object, false);
    const facts = element("span", { className: "facts" });
    facts.append(
      element("span", { className: "file", textContent: object.name, title: object.address }),
    );
    const first = element("span", { className: "line" });
    first.append(
      element("span", {}, element("i", { className: `dot ${object.source}` }), word(object.source)),
    );
    if (object.iteration) first.append(`${word("iteration")} ${object.iteration}`);
    const second = element("span", { className: "line" });
    const classes = [...new Set(object.classes)].map((each) => data.classes[each]);
    second.append(object.reason || classes.join(", ") || word("nothing"));
    const third = element("span", { className: "line" });
    if (object.score !== null) third.append(`${word("score")} ${fixed(object.score)}`);
    if (object.agreement !== null) third.append(` ${word("agreement")} ${fixed(object.agreement)}`);
    if (object.confidence !== null)
      third.append(` ${word("confidence")} ${fixed(object.confidence)}`);
    const chips = element("span", { className: "line" });
    for (const [kind] of object.doubts.slice(0, 2)) {
      chips.append(
        element("span", { className: "chip", textContent: doubtWord(data.doubts[kind]) }),
      );
    }
    facts.append(first, second, third, chips);
    const button = element("button", { type: "button", className: "card" }, holder, facts);
    button.addEventListener("click", () => open(place));
    button.loads = { object, image, holder };
    nearby.observe(button);
    return element("li", {}, button);
  }
  function grow() {
    const some = found
      .slice(shown, shown + PAGE)
      .map((object, index) => card(object, shown + index));
    shown += some.length;
    cards.append(...some);
    // The observer tells of changes only: look again once these are laid out.
    if (some.length) {
      end.unobserve(document.getElementById("more"));
      end.observe(document.getElementById("more"));
    }
  }

  const worstFirst = (key) => (one, other) =>
    (one[key] ?? 2) - (other[key] ?? 2) || one.number - other.number;
  const ORDERS = {
    doubt: (one, other) =>
      (other.doubts[0]?.[1] ?? 0) - (one.doubts[0]?.[1] ?? 0) || one.number - other.number,
    agreement: worstFirst("agreement"),
    score: worstFirst("score"),
    confidence: worstFirst("confidence"),
    number: (one, other) => one.number - other.number,
  };
  function matches(object, chosen) {
    if (!chosen.sources.has(object.source)) return false;
    if (
      chosen.class === "none"
        ? object.classes.length
        : chosen.class !== "" && !object.classes.includes(Number(chosen.class))
    )
      return false;
    if (chosen.iteration !== "" && object.iteration !== Number(chosen.iteration)) return false;
    if (chosen.worker !== "" && !object.workers.includes(Number(chosen.worker))) return false;
    if (chosen.doubt === "any" && !object.doubts.length) return false;
    if (
      chosen.doubt !== "" &&
      chosen.doubt !== "any" &&
      !object.doubts.some(([kind]) => kind === Number(chosen.doubt))
    )
      return false;
    if (
      (chosen.low > 0 || chosen.high < 1) &&
      (object.confidence === null ||
        object.confidence < chosen.low ||
        object.confidence > chosen.high)
    )
      return false;
    return !chosen.text || object.address.toLowerCase().includes(chosen.text);
  }
  function filter() {
    const values = new FormData(form);
    const chosen = {
      sources: new Set(values.getAll("source")),
      class: values.get("class") ?? "",
      iteration: values.get("iteration") ?? "",
      worker: values.get("worker") ?? "",
      doubt: values.get("doubt") ?? "",
      low: Number(values.get("low") || 0),
      high: Number(values.get("high") || 1),
      text: values.get("text").trim().toLowerCase(),
    };
    cards.classList.toggle("without-boxes", !values.has("boxes"));
    cards.classList.toggle("without-truth", !values.has("truth"));
    found = objects.filter((object) => matches(object, chosen)).sort(ORDERS[values.get("order")]);
    nearby.disconnect();
    cards.replaceChildren();
    release(new Set(found.slice(0, PAGE).map((object) => object.index)));
    shown = 0;
    document.getElementById("count").textContent =
      `${found.length.toLocaleString()} ${word("of")} ${objects.length.toLocaleString()} ${word("objects")}`;
    grow();
  }

  // Viewer

  let place = 0;
  function fact(list, key, value) {
    if (value === null || value === "" || value === undefined) return;
    list.append(element("dt", { textContent: word(key) }), element("dd", { textContent: value }));
  }
  function open(index) {
    place = index;
    const object = found[index];
    document.getElementById("viewer-title").textContent = object.name;
    const { holder, image } = frame(object, true);
    document.getElementById("viewer-picture").replaceChildren(holder.firstChild);
    load(image, object, document.getElementById("viewer-picture"));
    const list = element("dl");
    fact(list, "labeled", word(object.source));
    fact(list, "reason", object.reason);
    const classes = [...new Set(object.classes)].map((each) => data.classes[each]);
    fact(list, "classes", object.source === "failed" ? "" : classes.join(", ") || word("nothing"));
    fact(list, "iteration", object.iteration || null);
    fact(list, "confidence", object.confidence === null ? null : object.confidence.toFixed(3));
    fact(list, "score", object.score === null ? null : object.score.toFixed(3));
    fact(list, "agreement", object.agreement === null ? null : object.agreement.toFixed(3));
    fact(list, "workers", object.workers.map((each) => data.workers[each]).join(", "));
    fact(
      list,
      "doubts",
      object.doubts
        .map(([kind, strength]) => `${doubtWord(data.doubts[kind])} (${fixed(strength)})`)
        .join(", "),
    );
    fact(list, "dashed", object.truth?.length ? object.truth.length : null);
    fact(list, "line", (object.number + 1).toLocaleString());
    fact(list, "source", object.address);
    document.getElementById("viewer-facts").replaceChildren(list);
    document.getElementById("previous").disabled = place === 0;
    document.getElementById("next").disabled = place === found.length - 1;
    if (!viewer.open) viewer.showModal();
  }
  const step = (by) => found[place + by] && open(place + by);
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));
  document.getElementById("close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  // Choices, language, theme

  function choices(name, entries) {
    const select = form.elements[name];
    const chosen = select.value;
    select.replaceChildren(
      ...entries.map(([value, text]) => element("option", { value, textContent: text })),
    );
    if (entries.some(([value]) => String(value) === chosen)) select.value = chosen;
    select.closest("label").hidden = entries.length < 2;
  }
  function fill() {
    const numbered = (names) => names.map((name, index) => [index, name]);
    const iterations = [...new Set(objects.map((object) => object.iteration))].sort(
      (one, other) => one - other,
    );
    const usedDoubts = new Set(objects.flatMap((object) => object.doubts.map(([kind]) => kind)));
    choices("class", [["", word("all")], ...numbered(data.classes), ["none", word("nothing")]]);
    choices("iteration", [
      ["", word("all")],
      ...iterations.filter(Boolean).map((each) => [each, each]),
    ]);
    choices("worker", [["", word("all")], ...numbered(data.workers)]);
    choices("doubt", [
      ["", word("all")],
      ...(usedDoubts.size ? [["any", word("any")]] : []),
      ...[...usedDoubts]
        .sort((one, other) => one - other)
        .map((kind) => [kind, doubtWord(data.doubts[kind])]),
    ]);
    form.elements.truth.closest("label").hidden = !objects.some((object) => object.truth);
    for (const [order, key] of [
      ["agreement", "agreement"],
      ["score", "score"],
      ["confidence", "confidence"],
    ]) {
      form.elements.order.querySelector(`[value=${order}]`).hidden = !objects.some(
        (object) => object[key] !== null,
      );
    }
  }
  function speak(chosen) {
    language = chosen === "ko" ? 1 : 0;
    root.lang = chosen;
    for (const each of document.querySelectorAll("[data-ko]")) {
      each.dataset.en ??= each.textContent;
      each.textContent = each.dataset[chosen];
    }
    const button = document.getElementById("language");
    button.textContent = chosen === "ko" ? "English" : "한국어";
    button.lang = chosen === "ko" ? "en" : "ko";
    fill();
    filter();
  }
  function paint(dark) {
    root.dataset.theme = dark ? "dark" : "light";
    document.getElementById("theme").setAttribute("aria-pressed", String(dark));
  }
  document
    .getElementById("language")
    .addEventListener("click", () => speak(language ? "en" : "ko"));
  document
    .getElementById("theme")
    .addEventListener("click", () => paint(root.dataset.theme !== "dark"));
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 30);
  });
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  paint(matchMedia("(prefers-color-scheme: dark)").matches);
  end.observe(document.getElementById("more"));
  speak(navigator.language.startsWith("ko") ? "ko" : "en");
})();
