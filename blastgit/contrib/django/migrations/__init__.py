"""The app's migrations. Django needs one because the model is a proxy of a model in an app with migrations."""
