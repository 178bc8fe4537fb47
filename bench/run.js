// `npm run bench`: what express-sid costs beside its peers, in one run. Options: see `usage`.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `npm run bench [-- options]

What to measure (default: --throughput --in-process):
  --throughput   every contender over HTTP against bare Express, interleaved
  --in-process   nanoseconds and bytes of the middleware, by step
  --shapes       few and many connections, login storms, strangers, a slow store
  --scale        10,000 to 1,000,000 sessions in memory and SQLite; --sizes 10000,10000000 for others
  --network      lookups among 10,000 and 1,000,000 sessions in Redis, Postgres and MySQL
  --batching     lookups gathered by turn against one each, on Redis and Postgres
  --all          all of that
  --chart        draw docs/*.svg and fill the tables of docs/performance.md from the last results, measuring nothing

How:
  --quick        few and short windows: to try it out, not to publish
  --only a,b     these contenders (and bare Express)
  --node path    the in-process part once more on that Node
  --other dir    the express-sid contenders once more on another build (its dist/esm), to compare a change
  --no-build     measure dist as it is`

const { values: options } = parseArgs({
  options: {
    throughput: { type: 'boolean' },
    'in-process': { type: 'boolean' },
    shapes: { type: 'boolean' },
    scale: { type: 'boolean' },
    network: { type: 'boolean' },
    batching: { type: 'boolean' },
    all: { type: 'boolean' },
    chart: { type: 'boolean' },
    quick: { type: 'boolean' },
    only: { type: 'string' },
    node: { type: 'string' },
    other: { type: 'string' },
    sizes: { type: 'string' },
    build: { type: 'boolean', default: true },
    help: { type: 'boolean' },
  },
  allowNegative: true,
})

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

if (options.help) {
  console.log(usage)
} else if (options.chart) {
  const { draw } = await import('./parts/chart.js')
  await draw()
} else {
  if (options.build) execFileSync(process.execPath, [path('../scripts/build.js')], { stdio: 'inherit' })
  if (!existsSync(path('node_modules'))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: path('.'), stdio: 'inherit' })
  }
  const { measure } = await import('./parts/measure.js')
  await measure(options)
}
