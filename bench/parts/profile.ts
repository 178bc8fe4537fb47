import { contenders, named } from '../contenders.js'
import { Running } from '../lib/contender.js'
import { costOf, type Costs, type FunctionCost } from '../lib/cpu-profile.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import { fixed, table } from '../lib/table.js'

const WARM_UP = 20_000
/** Less than this a request is not shown. */
const SHOWN_US = 0.2

/** One contender under load, as the profiler sees it. Microseconds are per request. */
export interface Profiled {
  readonly node: string
  readonly connections: number
  readonly label: string
  readonly costs: Costs
  readonly bare: Costs
}

/**
 * Where a contender's time goes under load, beside bare Express under the same load. The profiler runs while the load
 * runs: neither the start nor the logins nor the warm-up are in it. It makes a request dearer, so take the shares from
 * here and the total from the throughput.
 */
export async function measure({ nodes, connections = [32], profile, isQuick }: Run): Promise<Profiled[]> {
  const about = named(profile!)
  const results: Profiled[] = []
  for (const node of nodes) {
    for (const count of connections) {
      say(`profile of ${about.name}, Node ${node.version}, ${count} connections`)
      const costs: Costs[] = []
      for (const each of [about, contenders[0]!]) {
        const one = await Running.start(each, node)
        try {
          await one.login()
          await one.check()
          costs.push(await profiled(one, count, isQuick ? 2_000 : 6_000))
        } finally {
          await one.close()
        }
      }
      const [own, bare] = costs
      results.push({ node: node.version, connections: count, label: about.label, costs: own!, bare: bare! })
    }
  }
  return results
}

async function profiled(one: Running, connections: number, ms: number): Promise<Costs> {
  const load = await one.open(connections)
  await one.window(load, { count: WARM_UP })
  let requests = 0
  const profile = await one.profile(async () => {
    requests = (await load.run({ ms })).count
  })
  return costOf(profile, requests)
}

export function report(results: Profiled[]): string {
  return results.map(reportOne).join('\n\n')
}

function reportOne({ node, connections, label, costs, bare }: Profiled): string {
  const places = [...new Set([...Object.keys(costs.places), ...Object.keys(bare.places)])]
  const groups = places
    .map((place) => ({ place, own: costs.places[place] ?? 0, bare: bare.places[place] ?? 0 }))
    .filter((row) => Math.max(row.own, row.bare) >= SHOWN_US)
    .toSorted((a, b) => b.own - b.bare - (a.own - a.bare))
  return [
    table(
      [`${label}, ${node}, ${connections} connections: µs a request`, 'here', 'bare', 'more'],
      [
        ...groups.map((row) => [row.place, fixed(row.own), fixed(row.bare), fixed(row.own - row.bare)]),
        ['all', fixed(costs.total), fixed(bare.total), fixed(costs.total - bare.total)],
      ],
    ),
    table(
      ["the package's own functions", 'with what they call', 'self', 'where'],
      costs.packageFunctions.slice(0, 25).map(functionRow),
    ),
    table(
      ['all functions, by self time', 'self', 'where'],
      costs.functions.slice(0, 25).map(({ name, self, where }) => [name, fixed(self), where]),
    ),
  ].join('\n\n')
}

const functionRow = ({ name, self, whole, where }: FunctionCost) => [name, fixed(whole), fixed(self), where]
