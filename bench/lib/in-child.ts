import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Node } from './nodes.js'

const entry = fileURLToPath(new URL('child.js', import.meta.url))

/** Runs the `measure` function of a module in a process of its own, and returns what it returns. */
export async function inChild<Settings, Result>(
  module: string,
  measure: (settings: Settings) => Result,
  settings: Settings,
  { node, execArgv = [] }: { node: Node; execArgv?: string[] },
): Promise<Awaited<Result>> {
  const child = fork(entry, [module, measure.name, JSON.stringify(settings)], {
    env: { ...process.env, NODE_ENV: 'production' },
    execPath: node.path,
    execArgv: ['--disable-warning=ExpressSidWarning', '--disable-warning=ExperimentalWarning', ...execArgv],
  })
  let result: unknown
  child.on('message', (message) => (result = message))
  const [code] = await once(child, 'exit')
  if (result === undefined) throw new Error(`${measure.name}() of ${module} ended with code ${code}`)
  return result as Awaited<Result>
}
