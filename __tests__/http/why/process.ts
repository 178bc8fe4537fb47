import { decisions, scenarios, useOwnClock } from './scenarios.js'

// Runs every scenario. Its name stands in the debug log, before the lines that it causes.
useOwnClock()
const reasons: Record<string, unknown> = {}
for (const [name, run] of Object.entries({ ...scenarios, ...decisions })) {
  console.error(`== ${name}`)
  reasons[name] = await run()
}
console.log(JSON.stringify(reasons))
process.exit(0)
