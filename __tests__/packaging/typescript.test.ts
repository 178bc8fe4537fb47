import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeBlocks, readText } from '../docs/support/page.js'
import { needs } from '../support/needs.js'
import { wide } from '../support/wide.js'
import { makeConsumer, type Consumer } from './support/packed.js'

// docs/typescript.md, as a reader copies it, beside the packed package.

// Building, packing and compiling go through other processes.
jest.setTimeout(60_000)

const blocks = codeBlocks(readText('docs/typescript.md'))
const blockWith = (text: string) => {
  const found = blocks.filter((code) => code.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} blocks of the page hold ${text}`)
  return found[0]!
}
const declaration = blocks[0]!
const firstPage = blockWith('app.listen(3000)')

let consumer: Consumer
beforeAll(async () => {
  consumer = await makeConsumer('types', ['@types/node', '@types/express', 'express', 'typescript'])
})
afterAll(() => consumer.remove())

/** Compiles these files as one project, strictly, libraries included. Resolves to what the compiler says. */
async function compile(files: Record<string, string>): Promise<string> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(consumer.folder, name), text)
  const config = { extends: './tsconfig.json', files: Object.keys(files) }
  writeFileSync(join(consumer.folder, 'tsconfig.page.json'), JSON.stringify(config))
  const said = consumer.node(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.page.json'])
  return said.catch((error: Error) => error.message)
}

wide.test('the first page in TypeScript compiles', async () => {
  expect(await compile({ 'page.ts': firstPage })).toBe('')
})

test('the user of a guarded route has the type that the app declared', async () => {
  const given = `import express from 'express'
    import { requireUser, userOf } from 'express-sid'
    const app = express()
    `
  const route = given + blockWith("app.get('/hello'")
  expect(await compile({ 'user.ts': declaration, 'route.ts': route })).toBe('')
  const withoutUserOf = route.replace('userOf(req)', 'req.user')
  expect(await compile({ 'user.ts': declaration, 'route.ts': withoutUserOf })).toContain('possibly')
})

wide.test('an app that has typed Request.user itself can leave that to the package', async () => {
  const account = `export interface Account { id: string; roles: string[] }
    `
  const use = `import 'express-sid'
    import type { Request } from 'express'
    export const rolesOf = ({ user }: Request): string[] | undefined => user?.roles
    `
  const recipe = blockWith('interface User extends Account')
  expect(await compile({ 'account.ts': account, 'user.ts': recipe, 'use.ts': use })).toBe('')
  // As it was before: the page says which words the compiler has for it.
  const before = recipe.replace('interface User extends Account {}', 'interface Request { user?: Account }')
  const said = await compile({ 'account.ts': account, 'user.ts': before, 'use.ts': use })
  expect(said).toContain('Subsequent property declarations must have the same type')
  expect(readText('docs/typescript.md').replaceAll(/\s+/g, ' ')).toContain(
    'Subsequent property declarations must have the same type',
  )
})

needs('node24')('on Node 24, which runs TypeScript', () => {
  test('the first page asks for a login and comes back, as that of the README does', () => {
    const visit = join(__dirname, 'consumers/runtime/visit.cjs')
    writeFileSync(join(consumer.folder, 'visit.cjs'), readFileSync(visit))
    const onAnyPort = firstPage.replace(
      'app.listen(3000)',
      "import visit from './visit.cjs'\nawait visit(app)",
    )
    writeFileSync(join(consumer.folder, 'runs.ts'), onAnyPort)
    const said = execFileSync(process.env.SID_NODE24!, ['runs.ts'], {
      cwd: consumer.folder,
      encoding: 'utf8',
    })
    expect(said.trim().split(/\n(?=\d{3} )/)).toEqual([
      '303 /login?returnTo=%2Faccount',
      '303 /login?failed&returnTo=%2Faccount',
      expect.stringContaining('Wrong email or password'),
      '303 /account',
      '200 {"id":1,"name":"Ann"}',
      '303 /login',
      '303 /login?returnTo=%2Faccount',
    ])
  })
})
