import { Html, markup } from './markup.js'

/** A small drawing of the kind of device that a label names. It says nothing that the label does not. */
export function iconOf(label: string): Html {
  const shape = / on (?:Android|iOS|iPadOS)$/.test(label) ? phone : / on /.test(label) ? computer : terminal
  return markup`<svg viewBox="0 0 24 24" aria-hidden="true">${new Html(shape)}</svg>`
}

const phone = '<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 18h2"/>'
const computer = '<rect x="4" y="5" width="16" height="11" rx="1.5"/><path d="M2 19h20"/>'
const terminal = '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m7 10 3 2.5L7 15m5 0h4"/>'
