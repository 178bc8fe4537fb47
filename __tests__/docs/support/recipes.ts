import express, { type Express } from 'express'
import {
  authenticateUpgrade,
  createSessions,
  login,
  requireUser,
  sessionMiddleware,
  sessionOf,
  userOf,
} from 'express-sid'
import { answerWithCode } from '../../support/site.js'
import { codeBlocks, readText } from './page.js'

export const recipes = readText('docs/recipes.md')

/** What the page takes for given: the package, Express, and the parser of forms from the README's first page. */
const given = {
  express,
  form: express.urlencoded({ extended: false }),
  authenticateUpgrade,
  createSessions,
  login,
  requireUser,
  sessionMiddleware,
  sessionOf,
  userOf,
}

/**
 * Runs the block of docs/recipes.md that holds this text, without its imports: those are among the globals.
 *
 * @param result what to add at its end, such as `return io`.
 */
export function runRecipe(text: string, globals: object, result = ''): unknown {
  const found = codeBlocks(recipes).filter((code) => code.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} blocks of the page hold ${JSON.stringify(text)}`)
  const code = found[0]!.replaceAll(/^import .*$/gm, '')
  // A block that awaits at its top is a module's.
  const isAsync = /^(?:const .* = )?await /m.test(code)
  const body = isAsync ? `return (async () => { ${code}; ${result} })()` : `${code}; ${result}`
  const names = { ...given, ...globals }
  // Not a context of its own: Express warns of promises of another realm, and clocks could not be faked.
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  return new Function(...Object.keys(names), body)(...Object.values(names)) as unknown
}

/** An app that a recipe mounts its own middleware on. */
export function bareApp(...build: ((app: Express) => void)[]): Express {
  const app = express()
  for (const step of build) step(app)
  app.use(answerWithCode())
  return app
}
