import type { Contender } from '../contenders.js'
import type { Machine } from './machine.js'
import type { Node } from './nodes.js'
import type { Servers } from './servers.js'

/** What was asked for on the command line. */
export interface Run {
  readonly contenders: readonly Contender[]
  /** Whether they were named. Otherwise a part may take fewer for a quick run. */
  readonly isChosen: boolean
  readonly servers: Servers
  readonly nodes: readonly Node[]
  readonly isQuick: boolean
  /** `undefined`: the part's own. */
  readonly connections: readonly number[] | undefined
  readonly sizes: readonly number[] | undefined
  readonly drivers: readonly string[] | undefined
  readonly profile: string | undefined
  readonly machine: Machine
}

/** One thing to measure: a file in parts/. */
export interface Part<Result = unknown> {
  measure(run: Run): Promise<Result>
  /** As Markdown: what the terminal shows and what docs/performance.md holds. */
  report(result: Result): string
}
