// `npm test`: the default run. Extra words are Jest's, as in `npm test -- sqlite`.
// PGlite loads itself as an ES module inside Jest, which Node allows only with this flag.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url))
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const { status } = spawnSync(process.execPath, [...flags, jest, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
