// Tells the form in which zone the browser reads times; the server takes it until another is chosen.
for (const field of document.querySelectorAll("[name=timezone]"))
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
