// Fills in the browser's time zone where the form does not know one yet.
import { $$ } from "./base.js";

for (const field of $$("[name=timezone]"))
  field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
