// The recipes of package managers and Java, which take longest.

import { PACKAGES } from './fixtures.js';
import { recipesWith } from './suite.js';

describe('recipes for packages', function () {
  this.timeout(120_000);
  recipesWith(PACKAGES);
});
