// Uploads each chosen file by itself: its progress is seen, and one that fails spoils no other.
(() => {
  const $ = (selector) => document.querySelector(selector);

  async function upload(event) {
    const form = event.target;
    if (form.id !== "upload") return;
    event.preventDefault();
    const rows = [...form.elements.clips.files].map((file) => [file, addRow(file)]);
    form.querySelector("button").disabled = true;
    for (const [file, row] of rows) tell(row, await send(form, file, row));
    form.querySelector("button").disabled = false;
    form.reset();
    refresh();
  }

  function addRow(file) {
    const row = $("#upload-row").content.firstElementChild.cloneNode(true);
    row.querySelector("span").textContent = file.name;
    $("#uploads").append(row);
    return row;
  }

  // Resolves to what went wrong, in words, or to "".
  function send(form, file, row) {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("clips", file);
    request.upload.onprogress = ({ loaded, total }) => show(row, loaded / total);
    const ended = new Promise((resolve) => {
      request.onload = () => resolve(request.status < 400 ? "" : words(request.responseText));
      request.onerror = () => resolve($("#upload-row").dataset.lost);
    });
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request-Type", "partial");
    request.send(body);
    return ended;
  }

  function show(row, share) {
    row.querySelector("progress").value = share;
    row.querySelector("output").textContent = `${Math.floor(share * 100)}%`;
  }

  function words(html) {
    const said = new DOMParser().parseFromString(html, "text/html").querySelector("p");
    said?.querySelector("strong")?.remove();
    return said?.textContent.trim() || $("#upload-row").dataset.lost;
  }

  function tell(row, problem) {
    if (!problem) return row.remove();
    row.querySelector(".progress").hidden = true;
    Object.assign(row.querySelector(".error"), { textContent: problem, hidden: false });
  }

  // What did arrive is shown, and what went wrong stays to be read.
  const refresh = () =>
    htmx.ajax("GET", location.pathname, { target: "#clip-list", select: "#clip-list", swap: "outerHTML" });

  document.addEventListener("submit", upload);
})();
