// What a release must be: the same tarball from the same source, small, and with no dependency that nobody knows of.
// `.ci/run` calls it. `--sbom FILE` keeps the bill of materials.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { budget } = JSON.parse(readFileSync(join(root, 'scripts/budget.json'), 'utf8'))
const work = mkdtempSync(join(tmpdir(), 'express-sid-release-'))
const run = (program, args, cwd) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 50_000_000 })
const faults = []

try {
  const [first, second] = ['one', 'two'].map(packIn)
  const [hash, again] = [first, second].map((file) =>
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  )
  if (hash === again) console.log(`reproducible: sha256 ${hash}`)
  else faults.push(`the tarball is another one each time: ${hash} and ${again}`)

  checkSize('the tarball', statSync(first).size, budget.tarball)
  const app = join(work, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0", "private": true }')
  run('npm', ['install', '--legacy-peer-deps', '--no-audit', '--no-fund', '--prefer-offline', first], app)
  checkSize('installed with its dependencies', sizeOf(join(app, 'node_modules')), budget.install)
  checkBill(
    JSON.parse(
      run('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--legacy-peer-deps'], app),
    ),
  )
  checkPublishing()
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const fault of faults) console.error(`release: ${fault}`)
process.exitCode = faults.length === 0 ? 0 : 1

/** Builds and packs the source in a folder of its own, at another time than the other one. */
function packIn(name) {
  const folder = join(work, name)
  for (const file of run('git', ['ls-files', '-co', '--exclude-standard'], root).trim().split('\n')) {
    if (!/^(?:src|scripts|docs)\/|^(?:package\.json|tsconfig.*|[A-Z]+(?:\.md)?)$/.test(file)) continue
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  run('npm', ['pack', '--loglevel=error'], folder)
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith('.tgz')),
  )
}

function checkSize(what, bytes, most) {
  console.log(
    `${what}: ${bytes.toLocaleString('en-US')} bytes, ${Math.round((100 * bytes) / most)} % of the budget`,
  )
  if (bytes > most)
    faults.push(`${what} takes ${bytes} bytes, and the budget is ${most} (scripts/budget.json)`)
}

function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

/** The bill of materials: exactly the packages that are known, each with a licence that is. */
function checkBill(bill) {
  const at = process.argv.indexOf('--sbom')
  if (at !== -1) writeFileSync(process.argv[at + 1], `${JSON.stringify(bill, null, 2)}\n`)
  const found = bill.components.filter(({ name }) => name !== 'express-sid')
  console.log(`bill of materials: ${found.map(({ name, version }) => `${name}@${version}`).join(', ')}`)
  const names = found.map(({ name }) => name).toSorted()
  if (names.join() !== budget.packages.toSorted().join()) {
    faults.push(
      `the dependencies are ${names.join(', ')}, and scripts/budget.json says ${budget.packages.join(', ')}`,
    )
  }
  for (const { name, licenses = [] } of found) {
    const ids = licenses.map(({ license, expression }) => license?.id ?? expression)
    if (!ids.some((id) => budget.licenses.includes(id))) faults.push(`${name} has the licence ${ids.join()}`)
  }
}

function checkPublishing() {
  const { publishConfig } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (publishConfig?.provenance !== true) faults.push('publishConfig.provenance is not true in package.json')
}
