import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

// Who imports whom in `src`, types included.

/** What each part may import besides itself. The first part whose folder or file fits is the one that counts. */
const allowed: Record<string, readonly string[]> = {
  // What an error says of its cause needs one tool; no file of the two parts imports in a circle.
  'lib/text/cause-text': ['lib'],
  errors: ['lib/text/cause-text'],
  lib: ['errors'],
  record: ['lib'],
  'record-reader': ['lib', 'record'],
  store: ['lib', 'record'],
  core: ['lib', 'record', 'store', 'errors'],
  'stores/sql': ['record-reader', 'lib', 'record', 'store', 'errors'],
  // How a store tells all processes which sessions end.
  'stores/ends-channel': ['lib', 'store'],
  'stores/postgres': ['stores/ends-channel', 'stores/sql', 'lib', 'record', 'store', 'errors'],
  'stores/mysql': ['stores/sql', 'lib', 'record', 'store', 'errors'],
  'stores/sqlite': ['record-reader', 'lib', 'record', 'store', 'errors'],
  'stores/redis': ['stores/ends-channel', 'record-reader', 'lib', 'record', 'store', 'errors'],
  'stores/memory': ['lib', 'record', 'store', 'errors'],
  'stores/moving': ['lib', 'record', 'store', 'errors'],
  'stores/near-cache': ['lib', 'record', 'store', 'errors'],
  'stores/encrypted': ['lib', 'record', 'store', 'errors'],
  'stores/adapted': ['lib', 'record', 'store', 'errors'],
  // A login for tests is a real one, so it needs the manager's insides. The store contract needs none of them.
  'testing/index': ['testing/login', 'testing'],
  'testing/login': ['http', 'core', 'lib', 'record', 'errors'],
  testing: ['lib', 'record', 'store', 'errors'],
  // The command line stands above all others: it is one more application, in the package.
  cli: [
    'index',
    'core',
    'stores/sqlite',
    'stores/redis',
    'stores/postgres',
    'stores/mysql',
    'stores/moving',
    'lib/text/cause-text',
    'lib',
    'record',
    'store',
    'errors',
  ],
  // The memory store is the default of the option `store`.
  http: ['core', 'stores/memory', 'lib', 'record', 'store', 'errors'],
  // What users see of their sessions, over the public API. It knows nothing of what lies behind that.
  devices: ['index', 'lib'],
  // Measures what the public API does not show: each call to the store.
  opentelemetry: ['http', 'core', 'lib', 'store', 'errors'],
  // The drop-in is another HTTP side of the same core. Of the stores it knows how one of express-session is called.
  'express-session': ['http', 'core', 'stores/adapted', 'lib', 'record', 'store', 'errors'],
  index: ['http', 'core', 'stores/memory', 'lib', 'record', 'store', 'errors'],
}

const src = join(__dirname, '../../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

/** The files that a file imports or re-exports, and the packages. */
function importsOf(file: string): { files: string[]; packages: string[] } {
  const source = readFileSync(join(src, file), 'utf8')
  const named = [
    ...source.matchAll(/^(?:import|export|\})[^'\n]*? from '([^']+)'/gm),
    ...source.matchAll(/^import '([^']+)'/gm),
  ]
  const all = named.map(([, name]) => name!)
  const inSrc = all.filter((name) => name.startsWith('.'))
  return {
    files: inSrc.map((name) => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts')),
    packages: all.filter((name) => !name.startsWith('.')),
  }
}

const graph = new Map(files.map((file) => [file, importsOf(file)]))

/** The part that a file belongs to: its folder, or the file where it lies at the top. */
function partOf(file: string): string {
  const part = Object.keys(allowed).find((one) => file === `${one}.ts` || file.startsWith(`${one}/`))
  if (part === undefined) throw new Error(`${file} belongs to no part: add it to the table above`)
  return part
}

test('the drawing has every import', () => {
  // An import in a form that the pattern above does not know would go unchecked.
  for (const file of files) {
    const source = readFileSync(join(src, file), 'utf8').replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, '')
    const { files: inSrc, packages } = graph.get(file)!
    expect([file, [...source.matchAll(/ from '[^']+'$|^import '|\bimport\(/gm)].length]).toEqual([
      file,
      inSrc.length + packages.length,
    ])
    for (const other of inSrc) expect(graph.has(other)).toBe(true)
  }
})

test('no arrow points upward or to a neighbour', () => {
  const wrong = files.flatMap((file) => {
    const part = partOf(file)
    const may = new Set([part, ...allowed[part]!])
    return graph
      .get(file)!
      .files.filter((other) => !may.has(partOf(other)))
      .map((other) => `${file} -> ${other}`)
  })
  expect(wrong).toEqual([])
})

test('there is no circle, also of types', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    else if (!done.has(file)) for (const other of graph.get(file)!.files) visit(other, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

test('only http, index, devices and the drop-in know Express, and no file imports a driver, not even its types', () => {
  const drivers = new Set([
    'redis',
    'ioredis',
    'pg',
    'mysql2',
    'mysql2/promise',
    'libsql',
    'better-sqlite3',
    'node:sqlite',
  ])
  for (const [file, { packages }] of graph) {
    const known = packages.filter((name) => drivers.has(name))
    if (!['http', 'index', 'devices', 'express-session'].includes(partOf(file)))
      known.push(...packages.filter((name) => name === 'express'))
    expect([file, known]).toEqual([file, []])
  }
})
