import { detached } from './detached.js'

// C0, DEL and C1 controls: they could forge a line in a log or control a terminal.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/
const controls = new RegExp(control, 'g')

/**
 * Text from a stranger, made safe to store or show: cut to a length, and without control characters. What was cut
 * off does not stay in memory.
 *
 * @example cleanText(req.headers['user-agent'], 512)
 */
export function cleanText(text: string, maxCharacters: number): string {
  const short = text.length > maxCharacters ? detached(text.slice(0, maxCharacters)) : text
  return control.test(short) ? short.replace(controls, '') : short
}
