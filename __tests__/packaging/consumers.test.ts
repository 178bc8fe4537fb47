import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { has } from '../support/needs.js'
import { wide, widely } from '../support/wide.js'
import { installConsumer, makeConsumer, packedTarball, type Consumer } from './support/packed.js'

interface Conditions {
  readonly types: string
  readonly default: string
}
/** What `npm ls --json` says of a package. */
interface Installed {
  readonly version?: string
  readonly dependencies?: Record<string, Installed>
}
type Exports = Record<string, string | { readonly import: Conditions; readonly require: Conditions }>

// Building, packing and compiling go through other processes.
jest.setTimeout(60_000)

const open: Consumer[] = []
async function removedLater(made: Promise<Consumer>): Promise<Consumer> {
  open.push(await made)
  return made
}
const consumer = (...args: Parameters<typeof makeConsumer>) => removedLater(makeConsumer(...args))
afterAll(() => Promise.all(open.map((one) => one.remove())))

describe('the tarball', () => {
  const entries = async () =>
    execFileSync('tar', ['-tzf', await packedTarball()], { encoding: 'utf8' })
      .trim()
      .split('\n')
  /** The files in the tarball that a page links to: pages, pictures. */
  const linkedBy = (page: string) => {
    const text = readFileSync(page.replace(/^package\//, ''), 'utf8').replaceAll(/^```.*?^```$/gms, '')
    const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => target!)
    return targets.filter((one) => !/^\w+:/.test(one)).map((one) => join(dirname(page), one))
  }

  test('holds what is used and read, and nothing else', async () => {
    const allowed =
      /^package\/(?:dist\/.*\.(?:js|d\.ts)|dist\/cli\/LICENSES\.txt|dist\/cjs\/package\.json|package\.json|LICENSE|llms(?:-full)?\.txt|docs\/(?:(?:errors|guides)\/)?[\w-]+\.(?:md|svg|json|yml)|(?:README|CHANGELOG|SECURITY)\.md)$/
    const names = await entries()
    expect(names.filter((name) => !allowed.test(name))).toEqual([])
    const documents = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md'].filter((name) =>
      existsSync(name),
    )
    for (const document of documents) {
      expect(names).toContain(`package/${document}`)
    }
  })

  test('is small: the code, and all of it with the pages', async () => {
    const tarball = await packedTarball()
    const code = execFileSync('tar', ['-xOzf', tarball, 'package/dist'], { maxBuffer: 10_000_000 })
    expect(gzipSync(code).length).toBeLessThan(350_000)
    expect(statSync(tarball).size).toBeLessThan(850_000)
  })

  test('holds every page that its README, and every page beside it, links to', async () => {
    const names = await entries()
    const pages = names.filter((name) => name.endsWith('.md'))
    expect(pages.length).toBeGreaterThan(10)
    // What is for contributors is in the repository only. Users' pages may name a test that shows a promise.
    const inRepository = /^package\/(?:src|__tests__|docs\/decisions\.md)/
    const lost = pages.flatMap((page) => {
      const absent = linkedBy(page).filter((target) => !names.includes(target))
      const isReadme = page === 'package/README.md'
      return absent.filter((target) => isReadme || !inRepository.test(target)).map((to) => `${page} -> ${to}`)
    })
    expect(lost).toEqual([])
  })

  test('holds every file that an entry of the package names', async () => {
    const names = await entries()
    const { exports: all } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Exports }
    const files = Object.values(all).flatMap((entry) =>
      typeof entry === 'string'
        ? [entry]
        : [entry.import, entry.require].flatMap(({ types, default: js }) => [types, js]),
    )
    expect(files.map((file) => file.replace('.', 'package')).filter((file) => !names.includes(file))).toEqual(
      [],
    )
  })
})

describe('installed', () => {
  const walk = [
    'Welcome Stranger!',
    'Logged In',
    'Welcome User!',
    'Logged Out',
    'Welcome Stranger!',
    '',
  ].join('\n')

  const apps = [
    ['express', 'app.cjs'],
    ['express', 'app.mjs'],
    ['express4', 'app.cjs'],
    ['express4', 'app.mjs'],
  ] as const
  // Express 5 is what the real install below has.
  test.each(widely(apps, ([, file]) => file === 'app.cjs'))(
    'beside %s, it walks through the article in %s',
    async (express, file) => {
      const { node } = await consumer('runtime', [], { express })
      expect(await node([file])).toBe(walk)
    },
  )

  const withRegistry = has('registry') ? test : test.skip
  // 4.16 is what express-generator writes into a new app.
  withRegistry.each(widely(['express@5', 'express@4.16.4'], (express) => express === 'express@5'))(
    'by npm itself beside %s, it brings what it needs, no driver, and walks through the article',
    async (express) => {
      const { folder, node } = await removedLater(installConsumer('runtime', [express]))
      for (const file of ['app.cjs', 'app.mjs']) expect(await node([file])).toBe(walk)
      // Fails where a dependency or a peer is missing or is of another version than asked for.
      const tree = execFileSync('npm', ['ls', '--all', '--json', '--prefix', folder], { encoding: 'utf8' })
      const { dependencies } = JSON.parse(tree) as Installed
      const ours = Object.entries(dependencies!['express-sid']!.dependencies!)
      // An optional peer that is not there is listed without a version.
      const found = ours.filter(([, { version }]) => version !== undefined).map(([name]) => name)
      expect(found.toSorted()).toEqual(['bowser', 'cookie', 'express', 'on-headers', 'uuid'])
    },
    120_000,
  )

  test('its two copies work together, and a refusal of one is a refusal for the other', async () => {
    const { node } = await consumer('runtime', ['express'])
    const said = ['Welcome Stranger!', 'Login Failed', 'Welcome Stranger!', 'Logged In', 'Welcome User!', '']
    expect(await node(['mixed.mjs'])).toBe(said.join('\n'))
  })

  test('every entry exports the same by require and by import, without any driver', async () => {
    // The API of OpenTelemetry is what one of the entries is for.
    const { node } = await consumer('runtime', ['@opentelemetry/api'])
    const all = JSON.parse(await node(['names.cjs'])) as Record<
      string,
      { require: string[]; import: string[] }
    >
    for (const { require: required, import: imported } of Object.values(all)) {
      expect(required).toEqual(imported)
      expect(required).not.toEqual([])
    }
    expect(all['.']!.import).toEqual(Object.keys(await import('express-sid')).toSorted())
  })

  test("the README's first page is an app that asks for a login and comes back", async () => {
    const { folder, node } = await consumer('runtime', ['express'])
    const [, page] = /^```js\n(.*?)^```$/ms.exec(readFileSync('README.md', 'utf8')) ?? []
    const onAnyPort = page!.replace('app.listen(3000)', "import visit from './visit.cjs'\nawait visit(app)")
    writeFileSync(join(folder, 'readme.mjs'), onAnyPort)
    expect((await node(['readme.mjs'])).trim().split(/\n(?=\d{3} )/)).toEqual([
      '303 /login?returnTo=%2Faccount',
      '303 /login?failed&returnTo=%2Faccount',
      expect.stringMatching(
        /^200 <!doctype html>.*>Wrong email or password\. Please try again\.<form method="post">/s,
      ),
      '303 /account',
      '200 {"id":1,"name":"Ann"}',
      '303 /login',
      '303 /login?returnTo=%2Faccount',
    ])
  })

  const withBetterSqlite3 = has('better-sqlite3') ? test : test.skip
  withBetterSqlite3('it walks through the article on better-sqlite3', async () => {
    const { node } = await consumer('runtime', ['express'])
    expect(await node(['better-sqlite3.cjs'])).toBe(walk)
  })

  wide.test('it loads and serves under Jest in a CommonJS app', async () => {
    const { node } = await consumer('jest', ['express', 'jest'])
    await node(['node_modules/jest/bin/jest.js', '--ci'])
  })

  const types = ['@types/node', '@types/express', 'express', 'typescript']
  const tsc = (project: string) => ['node_modules/typescript/bin/tsc', '-p', project]

  test.each(widely(['tsconfig.json', 'tsconfig.bundler.json'], (project) => project === 'tsconfig.json'))(
    'it type-checks with %s, libraries included',
    async (project) => {
      const { node } = await consumer('types', types)
      await node(tsc(project))
    },
  )

  // TypeScript 7 no longer has this resolution. Older projects do, and it does not read the field "exports".
  wide.test('it type-checks with moduleResolution node10, by an older TypeScript', async () => {
    const older = { typescript: '@arethetypeswrong/core/node_modules/typescript' }
    const { node } = await consumer('types', ['@types/node', '@types/express', 'express'], older)
    expect(await node(['node_modules/typescript/bin/tsc', '--version'])).toMatch(/^Version 5\./)
    await node(tsc('tsconfig.node10.json'))
  })

  wide.test('it type-checks beside @types/express-session and @types/passport', async () => {
    const { node } = await consumer('types', [
      ...types,
      'express-session',
      '@types/express-session',
      'passport',
      '@types/passport',
    ])
    await node(tsc('tsconfig.beside.json'))
  })

  wide.test(
    'the drop-in type-checks with what an app has declared for express-session, by import and by require',
    async () => {
      const { node } = await consumer('types', [...types, '@types/express-session'])
      await node(tsc('tsconfig.dropin.json'))
    },
  )
})
