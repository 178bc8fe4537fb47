// `npm test`: the default run. Extra words are Jest's, as in `npm test -- sqlite`.
// PGlite loads itself as an ES module inside Jest, which Node allows only with this flag.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const jest = createRequire(import.meta.url).resolve('jest/bin/jest.js')
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
const { status } = spawnSync(process.execPath, [...flags, jest, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
