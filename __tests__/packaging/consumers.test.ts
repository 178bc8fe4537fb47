import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { makeConsumer, packedTarball, type Consumer } from './support/packed.js'

interface Conditions {
  readonly types: string
  readonly default: string
}
type Exports = Record<string, string | { readonly import: Conditions; readonly require: Conditions }>

// Building, packing and compiling go through other processes.
jest.setTimeout(60_000)

const open: Consumer[] = []
async function consumer(...args: Parameters<typeof makeConsumer>): Promise<Consumer> {
  const made = await makeConsumer(...args)
  open.push(made)
  return made
}
afterAll(() => Promise.all(open.map((one) => one.remove())))

describe('the tarball', () => {
  const entries = async () =>
    execFileSync('tar', ['-tzf', await packedTarball()], { encoding: 'utf8' })
      .trim()
      .split('\n')

  test('holds what is used and read, and nothing else', async () => {
    const allowed =
      /^package\/(?:dist\/.*\.(?:js|d\.ts)|dist\/cjs\/package\.json|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/
    const names = await entries()
    expect(names.filter((name) => !allowed.test(name))).toEqual([])
    for (const document of ['LICENSE', 'README.md', 'CHANGELOG.md'].filter((name) => existsSync(name))) {
      expect(names).toContain(`package/${document}`)
    }
  })

  test('is small', async () => {
    expect(statSync(await packedTarball()).size).toBeLessThan(200_000)
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

  test.each([
    ['express', 'app.cjs'],
    ['express', 'app.mjs'],
    ['express4', 'app.cjs'],
    ['express4', 'app.mjs'],
  ])('beside %s, it walks through the article in %s', async (express, file) => {
    const { node } = await consumer('runtime', [], { express })
    expect(await node([file])).toBe(walk)
  })

  test('its two copies work together, and a refusal of one is a refusal for the other', async () => {
    const { node } = await consumer('runtime', ['express'])
    const said = ['Welcome Stranger!', 'Login Failed', 'Welcome Stranger!', 'Logged In', 'Welcome User!', '']
    expect(await node(['mixed.mjs'])).toBe(said.join('\n'))
  })

  test('every entry exports the same by require and by import, without any driver', async () => {
    const { node } = await consumer('runtime', [])
    const all = JSON.parse(await node(['names.cjs'])) as Record<
      string,
      { require: string[]; import: string[] }
    >
    for (const { require: required, import: imported } of Object.values(all)) {
      expect(required).toEqual(imported)
      expect(required).not.toEqual([])
    }
    expect(all['.']!.import).toEqual([
      'SessionError',
      'authenticateUpgrade',
      'createSessions',
      'login',
      'logout',
      'memoryStore',
      'refuse',
      'requireUser',
      'sessionMiddleware',
      'sessionOf',
    ])
  })

  test('it loads under Jest in a CommonJS app', async () => {
    const { node } = await consumer('jest', ['express', 'jest'])
    await node(['node_modules/jest/bin/jest.js', '--ci'])
  })

  const types = ['@types/node', '@types/express', 'express', 'typescript']
  const tsc = (project: string) => ['node_modules/typescript/bin/tsc', '-p', project]

  test.each(['tsconfig.json', 'tsconfig.bundler.json'])(
    'it type-checks with %s, libraries included',
    async (project) => {
      const { node } = await consumer('types', types)
      await node(tsc(project))
    },
  )

  test('it type-checks beside @types/express-session and @types/passport', async () => {
    const { node } = await consumer('types', [
      ...types,
      'express-session',
      '@types/express-session',
      'passport',
      '@types/passport',
    ])
    await node(tsc('tsconfig.beside.json'))
  })
})
