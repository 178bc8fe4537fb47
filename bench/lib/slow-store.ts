import { slowStore } from '../contenders.js'
import type { Outcome, Request } from '../load/driver.js'
import { requestText } from '../load/request.js'
import { Running } from './contender.js'
import type { Node } from './nodes.js'
import { say } from './say.js'
import { fixed, number, table } from './table.js'
import { BODY_FOR_NOBODY } from './users.js'

export interface SlowRow {
  readonly label: string
  readonly delay: number | null
  readonly alone: Seen
  readonly beside: Seen
  readonly members: Seen & { readonly refused: number }
}

interface Seen {
  readonly rate: number
  readonly p99: number
}

/** 32 connections of browsers that are logged in, and 32 that have no cookie: what do the latter notice? */
export async function measureSlowStore(node: Node, ms: number): Promise<SlowRow[]> {
  const rows: SlowRow[] = []
  for (const [label, delay] of [
    ['1 ms', 1],
    ['100 ms', 100],
    ['for ever', null],
  ] as const) {
    say(`shapes: a store that takes ${label}`)
    const one = await Running.start(slowStore(label), node, { delay })
    try {
      const strangers: Request = { text: requestText('GET', '/me'), expected: BODY_FOR_NOBODY }
      await one.login()
      const load = await one.open(32, [strangers])
      await one.window(load, { count: 10_000 })
      const alone = seen(await load.run({ ms }))
      const known = await one.open(32)
      const [besideOutcome, membersOutcome] = await Promise.all([load.run({ ms }), known.run({ ms })])
      if (besideOutcome.wrong.length > 0) throw new Error(`a stranger got:\n${besideOutcome.wrong[0]}`)
      const refused = membersOutcome.wrong.filter((text) => text.startsWith('HTTP/1.1 503')).length
      const members = { ...seen(membersOutcome), refused: refused / membersOutcome.count }
      rows.push({ label, delay, alone, beside: seen(besideOutcome), members })
    } finally {
      await one.close()
    }
  }
  return rows
}

const seen = ({ count, seconds, p99 }: Outcome): Seen => ({ rate: count / seconds, p99 })

export function reportSlowStore(rows: SlowRow[]): string {
  return table(
    [
      'the store takes',
      'no cookie, alone: p99 ms',
      'beside members: p99 ms',
      'requests/s alone',
      'beside',
      'members p99 ms',
      'refused',
    ],
    rows.map(({ label, alone, beside, members }) => [
      label,
      fixed(alone.p99, 1),
      fixed(beside.p99, 1),
      number(alone.rate),
      number(beside.rate),
      number(members.p99),
      `${fixed(members.refused * 100, 0)} %`,
    ]),
  )
}
