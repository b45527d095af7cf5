"""Settings, those that Blast takes from its environment from there as well."""

import os

APP_VERSION = "1.13.1"
SECRET_KEY = "not a secret"
INSTALLED_APPS = ["host", "django_celery_beat"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DB_NAME"],
        "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},
    }
}
_REDIS = f"redis://127.0.0.1:{os.environ['REDIS_PORT']}"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _REDIS}}
CELERY_BROKER_URL = _REDIS
CELERY_RESULT_BACKEND = _REDIS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_IMPORTS = ["host.workflow"]
