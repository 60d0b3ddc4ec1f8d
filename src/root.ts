/** The folder of the package, of the checkout as of what was built of it. */
export const root = new URL('./', import.meta.resolve('tekton-chains/package.json'));
