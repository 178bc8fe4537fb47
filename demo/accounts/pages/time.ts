import { type Html, markup } from './markup.js'

const format = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

/** A time. The server knows no time zone of its reader: a script writes it in theirs, and without one it is in UTC. */
export function timeOf(time: number): Html {
  return markup`<time datetime="${new Date(time).toISOString()}">${format.format(time)} UTC</time>`
}
