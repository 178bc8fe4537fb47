// C0, DEL and C1: what could forge a line in a log or steer a terminal.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/
const controls = new RegExp(control, 'g')

/** What a stranger sent, cut to so many characters and without control characters, to be stored or shown. */
export function cleanText(text: string, mostCharacters: number): string {
  const short = text.length > mostCharacters ? text.slice(0, mostCharacters) : text
  return control.test(short) ? short.replace(controls, '') : short
}
