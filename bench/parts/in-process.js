import { BUILD } from '../contenders.js'
import { inChild } from '../lib/child.js'
import { say } from '../lib/say.js'

/** What the middleware costs without HTTP, whole and by step; with `node`, once more on that one. */
export async function inProcess({ rounds, node, build = BUILD }) {
  // A young generation so large that nothing is collected within a batch.
  const execArgv = ['--expose-gc', '--max-semi-space-size=64']
  say(`in-process cost: ${rounds} rounds`)
  const result = await inChild('in-process', { rounds, build }, { execArgv })
  if (node === undefined) return result
  say(`in-process cost on ${node}`)
  return {
    ...result,
    elsewhere: await inChild('in-process', { rounds, build }, { execArgv, execPath: node }),
  }
}
