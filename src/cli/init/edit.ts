import { CliError } from '../io.js'
import type { Project } from './project.js'

/**
 * The app's file with the login in it: one import, and one line above the first route, so that every route knows
 * `req.user`.
 *
 * @throws CliError where the place can't be found.
 */
export function withLogin({ source, app, isModule, isTypeScript }: Project, name: string): string {
  const lines = source.split('\n')
  const imported = importLine(name, isModule, isTypeScript)
  lines.splice(lastImport(lines) + 1, 0, imported)
  lines.splice(
    firstRoute(lines, app),
    0,
    `// Finds out who is asking, and has the pages /login, /signup and /account.`,
    `${app}.use(auth)`,
    '',
  )
  return lines.join('\n')
}

function importLine(name: string, isModule: boolean, isTypeScript: boolean): string {
  if (isModule)
    return `import { auth } from './${name}${isTypeScript ? '.js' : name.includes('.') ? '' : '.js'}'`
  return isTypeScript ? `import { auth } from './${name}'` : `const { auth } = require('./${name}')`
}

/** The line of the last import or require at the top; -1 where there is none. */
function lastImport(lines: readonly string[]): number {
  const isImport = (line: string) =>
    /^import\s|^\} from\s|^(?:const|let|var)\s.*=\s*require\(/.test(line) && !/express\(\)/.test(line)
  return lines.findLastIndex((line) => isImport(line))
}

/** Where the routes begin: the first handler for a path, else the listening, the export, or the end. */
function firstRoute(lines: readonly string[], app: string): number {
  const starts = [
    String.raw`^\s*${app}\.(?:use|get|post|put|patch|delete|all)\(\s*['"\`/]`,
    String.raw`^\s*${app}\.listen\(`,
    String.raw`^\s*(?:module\.exports|export\s)`,
  ]
  for (const start of starts) {
    const pattern = new RegExp(start)
    const at = lines.findIndex((line) => pattern.test(line))
    if (at !== -1) return aboveComment(lines, at)
  }
  throw new CliError(
    'NO_PLACE',
    `No route, listen() or export of ${app} was found. Add one of them, and run this again.`,
  )
}

/** A comment belongs to what follows it. */
function aboveComment(lines: readonly string[], at: number): number {
  let place = at
  while (place > 0 && /^\s*\/\//.test(lines[place - 1]!)) place -= 1
  return place
}
