import { escapeHtml } from '../lib/text/escape-html.js'

/** Text that is HTML already, and is not escaped again. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | false | undefined | readonly Part[]

/**
 * HTML with values in it. Every value is escaped, but for what `markup` itself has made. `false` and `undefined` are left out.
 *
 * @example markup`<p>${label}</p>${isCurrent && markup`<b>here</b>`}`
 */
export function markup(pieces: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(pieces.map((piece, at) => piece + textOf(values[at])).join(''))
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(textOf).join('')
  return escapeHtml(String(part))
}
