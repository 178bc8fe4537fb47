import { BUILD } from '../contenders.js'
import { inChild } from '../lib/child.js'
import { say } from '../lib/say.js'

/** What gathering the lookups of one turn saves, on each store that does it. */
export function batching({ rounds, windowMs }) {
  say(`batching: ${rounds} rounds, windows of ${windowMs} ms`)
  return inChild('batching', { build: BUILD, rounds, windowMs })
}
