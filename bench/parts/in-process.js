import { BUILD } from '../contenders.js'
import { inChild } from '../lib/child.js'
import { say } from '../lib/say.js'

/** What the middleware costs without HTTP, whole and by step. */
export function inProcess({ rounds, build = BUILD }) {
  say(`in-process cost: ${rounds} rounds`)
  // A young generation so large that nothing is collected within a batch.
  return inChild('in-process', { rounds, build }, ['--expose-gc', '--max-semi-space-size=64'])
}
