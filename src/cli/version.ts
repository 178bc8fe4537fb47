/** The version of this package, which the build puts in. */
export const version = process.env.SID_CLI_VERSION ?? 'unbuilt'
