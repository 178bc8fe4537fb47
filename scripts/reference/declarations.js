import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// TypeScript 7 has no stable API yet. package-lock.json pins the version whose API this is.
import { SyntaxKind } from 'typescript/unstable/ast'
import { API, SymbolFlags, TypeFlags } from 'typescript/unstable/sync'

/**
 * The entry points of package.json, each with the names that it exports. Reads the `.d.ts` files that a user of the
 * package gets, made anew in a temporary folder: so nothing that is @internal is in them, and no build is needed.
 */
export function readEntries(root) {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'express-sid-reference-'))
  const api = new API({ cwd: folder })
  try {
    writeDeclarations(root, folder)
    const config = join(folder, 'tsconfig.json')
    writeFileSync(config, JSON.stringify({ compilerOptions: { module: 'nodenext', types: [] } }))
    const project = api.updateSnapshot({ openProject: config }).getProjects()[0]
    const exportsOf = reader(project, folder)
    return entryPoints(root).map(({ name, types }) => ({
      name,
      exported: exportsOf(types.replace('./dist/esm', folder)),
    }))
  } finally {
    api.close()
    rmSync(folder, { recursive: true })
  }
}

function writeDeclarations(root, folder) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = ['-p', join(root, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder]
  execFileSync(process.execPath, [tsc, ...args], { stdio: ['ignore', process.stderr, process.stderr] })
}

function entryPoints(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.entries(exports)
    .filter(([, target]) => target.import?.types !== undefined)
    .map(([path, target]) => ({ name: path.replace('.', 'express-sid'), types: target.import.types }))
}

/** Reads symbols of the compiler into plain data. */
function reader({ checker, program }, folder) {
  const isOurs = ({ declarations }) => declarations[0]?.path.toLowerCase().startsWith(folder.toLowerCase())

  function exportsOf(file) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file))
    return checker.getExportsOfModule(module).map((symbol) => {
      const isAlias = (symbol.flags & SymbolFlags.Alias) !== 0
      return describe(symbol.name, isAlias ? checker.getAliasedSymbol(symbol) : symbol)
    })
  }

  /** An exported name, or a member of one. */
  function describe(name, symbol) {
    const nodes = symbol.declarations.map((handle) => handle.resolve())
    const members = nodes.map(typeNodeOf).filter(Boolean).flatMap(membersOf)
    return {
      name,
      signatures: nodes.flatMap(signaturesOf),
      text: checker.getDocumentationCommentOfSymbol(symbol),
      tags: checker.getJsDocTagsOfSymbol(symbol),
      members: members.filter(({ signatures: [first] }) => !first.startsWith('#')),
    }
  }

  /** The properties and methods of a type, inherited ones too, but not those that a string or an Error has. */
  function membersOf(node) {
    const type = checker.getTypeAtLocation(node)
    // What the types of a union have in common is described with each of them.
    if ((type.flags & TypeFlags.Union) !== 0) return []
    const properties = checker.getPropertiesOfType(type)
    return properties.filter(isOurs).map((member) => describe(member.name, member))
  }

  return exportsOf
}

/** The declaration without comments and members. A class has another line, for its constructor. */
function signaturesOf(node) {
  const text = node.getText().replace(/^(?:export |declare |readonly )+/, '')
  const isWithMembers =
    node.kind === SyntaxKind.InterfaceDeclaration || node.kind === SyntaxKind.ClassDeclaration
  if (!isWithMembers) return [text.replace(/[;,]$/, '')]
  const constructors = node.members.filter(({ kind }) => kind === SyntaxKind.Constructor)
  return [
    text.slice(0, text.indexOf('{')).trim(),
    ...constructors.map((one) => one.getText().replace('constructor', `new ${node.name.text}`)),
  ]
}

/** Where the type of a declaration is that has members. */
function typeNodeOf({ kind, name, type }) {
  if (kind === SyntaxKind.InterfaceDeclaration || kind === SyntaxKind.ClassDeclaration) return name
  if (kind !== SyntaxKind.TypeAliasDeclaration) return undefined
  // `keyof typeof table` stands for the keys of a table: what they mean is said there.
  return type.kind === SyntaxKind.TypeOperator ? type.type : type
}
