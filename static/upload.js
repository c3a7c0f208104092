// Uploads each chosen file separately: each shows its progress, and can fail alone.
import { $, on, pageHeaders } from "./base.js";

async function upload(event) {
  const form = event.target;
  if (form.id !== "upload") return;
  event.preventDefault();
  const rows = [...form.elements.clips.files].map((file) => [file, addRow(file)]);
  const button = form.querySelector("button");
  button.disabled = true;
  for (const [file, row] of rows) finish(row, await send(form, file, row));
  button.disabled = false;
  form.reset();
  htmx.trigger(document.body, "page-outdated");
}

function addRow(file) {
  const row = $("#upload-row").content.firstElementChild.cloneNode(true);
  row.querySelector("span").textContent = file.name;
  $("#uploads").append(row);
  return row;
}

// Resolves to an error message, or "". XMLHttpRequest, because fetch reports no upload progress.
function send(form, file, row) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("clips", file);
  request.upload.onprogress = ({ loaded, total }) => showProgress(row, loaded / total);
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request-Type", "partial");
  for (const header of Object.entries(pageHeaders())) request.setRequestHeader(...header);
  request.send(body);
  return new Promise((resolve) => (request.onloadend = () => resolve(problemOf(request))));
}

function showProgress(row, share) {
  row.querySelector("progress").value = share;
  row.querySelector("output").textContent = `${Math.floor(share * 100)}%`;
}

function problemOf({ status, responseText }) {
  if (status >= 200 && status < 400) return "";
  const sentence = new DOMParser().parseFromString(responseText, "text/html").querySelector(".toast p");
  sentence?.querySelector("strong").remove(); // the title, which says less than the sentence
  return sentence?.textContent.trim() || problemOnTheWay(status);
}

// A proxy answers with a page of its own, if the request reaches one.
function problemOnTheWay(status) {
  const { lost, tooLarge, unavailable } = $("#upload-row").dataset;
  if (status === 413) return tooLarge;
  return status ? unavailable : lost;
}

function finish(row, problem) {
  if (!problem) return row.remove();
  row.querySelector(".progress").hidden = true;
  Object.assign(row.querySelector(".error"), { textContent: problem, hidden: false });
}

on("submit", upload);
