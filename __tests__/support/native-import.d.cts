export function nativeImport(name: string): Promise<unknown>
