"""The app's migrations. Django wants one of an app whose model is a proxy of another app's that has migrations."""
