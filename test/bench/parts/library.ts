// The library as it is built, with the types of its sources.

export async function library(): Promise<typeof import('../../../src/index.js')> {
  return import(new URL('../../../dist/index.js', import.meta.url).href);
}
