"""How steps are run: attempts, dispatch, outcomes, the pool and the loop. Private to the package."""
