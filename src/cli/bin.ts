import { run } from './run.js'
import { terminal } from './terminal.js'

// The file that `npx express-sid` runs, once it is bundled.
void run(process.argv.slice(2), terminal()).then((exitCode) => {
  // Not by its own end: a driver may hold a connection for minutes.
  process.exitCode = exitCode
  setTimeout(() => process.exit(exitCode), 1_000).unref()
  process.stdin.destroy()
})
